import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { parseLedger } from '../../../../experiment/ledger/config.ts'
import { ledgerSchema } from '../../../../experiment/ledger/spec.ts'
import { wholeSpec } from '../../../../experiment/ledger/step.ts'
import { checkSpec } from '../../../../experiment/spec/check.ts'
import { errorOf } from '../../../support/errors.ts'
import { factsOf } from '../shipped.ts'
import { ledgerSpec, sampleLedger } from './ledgers.ts'

const folder = new URL('../../../../configs/ledgers/', import.meta.url)

test.each(readdirSync(folder).sort())('%s is accepted, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const { spec, locate } = parseLedger({ file, text })
  const whole = wholeSpec(spec, [3])
  checkSpec(whole, factsOf(whole), locate)
  expect(`${spec.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift forget configs/ledgers/${file}`)
})

test('a ledger has the defaults of an experiment', () => {
  const spec = ledgerSpec()
  expect(spec.seed).toEqual({ data: 1, split: 1, training: 1, unlearning: 1 })
  expect(spec.gold).toEqual({ models: 2 })
  expect(spec.ladder.map(({ method }) => method)).toEqual(['finetune', 'replay', 'retrain'])
  // What is parsed once is parsed again to the same: the store keeps the result.
  expect(ledgerSchema.parse(spec)).toEqual(spec)
})

test.each<[string, string, string, string]>([
  ['an unknown key', 'accept:', 'acept:', '10:1: unknown key "acept"; did you mean "accept"?'],
  ['a figure that is none of the rule', 'averageGap', 'ra', '11:3: unknown key "ra"'],
  [
    'a row that makes no model',
    '{ method: retrain }',
    '{ method: original }',
    '9:15: original makes no model without the samples of a request',
  ],
  [
    'the label of the model before',
    '{ method: finetune, epochs: 1 }',
    '{ method: finetune, epochs: 1, label: model in use }',
    '7:43: the reports of the steps call the model before a request "model in use"',
  ],
  [
    'replay without states',
    ', replay: { checkpoints: 2 }',
    '',
    '8:15: replay needs states of the training; set training.replay',
  ],
  [
    'replay of an original from elsewhere',
    'gold: { models: 2 }',
    'gold: { models: 2 }\noriginal: { from: model.safetensors }',
    'replay continues from states of the training of the original, and original.from was trained elsewhere',
  ],
  ['no rule', 'accept:\n  averageGap: { atMost: 3 }\n', '', 'accept names no figure'],
  [
    'a floor without a second gold model',
    'gold: { models: 2 }',
    'gold: { models: 1 }',
    'the floor needs a second gold model, and there are 1',
  ],
  [
    'a distance to no gold model',
    'gold: { models: 2 }',
    'gold: none',
    'averageGap is a distance to gold, and gold: none makes none',
  ],
  [
    'gold from elsewhere',
    'gold: { models: 2 }',
    'gold: { from: [a, b] }',
    'each request forgets other samples',
  ],
  [
    'two steps of one name',
    '{ method: retrain }',
    '{ method: finetune, epochs: 2 }',
    'ladder[0] and ladder[2] are both called "finetune"',
  ],
  [
    'no time of a batch',
    'gold:',
    'batch: 1 day\ngold:',
    '5:8: batch: expected a time above 0 and of at most 365d',
  ],
  [
    'a batch of no time',
    'gold:',
    'batch: 0m\ngold:',
    '5:8: batch: expected a time above 0 and of at most 365d',
  ],
  [
    'a batch of years',
    'gold:',
    'batch: 366d\ngold:',
    '5:8: batch: expected a time above 0 and of at most 365d',
  ],
  ['a batch without a unit', 'gold:', 'batch: 24\ngold:', '5:8: batch: expected text'],
  ['tuning', 'epochs: 1 }\n', 'epochs: 1, tune: {} }\n', '7:36: a ledger tunes no options'],
  ['a split', 'gold:', 'split: { kind: random, count: 3 }\ngold:', '5:1: unknown key "split"'],
  ['an empty file', sampleLedger, '', 'the config is empty; it needs name, data, model, training and ladder'],
])('%s is refused', async (_, from, to, message) => {
  const own = from === 'gold: { models: 2 }' && to.includes('models: 1')
  const text = sampleLedger.replace(from, () => to)
  expect(text).not.toBe(sampleLedger)
  const asked = own ? text.replace('atMost: 3', 'atMost: { floor: 2 }') : text
  const error = await errorOf(
    Promise.resolve().then(() => parseLedger({ file: 'ledger.yaml', text: asked })),
    UserError,
  )
  expect(error.message).toContain(message)
})

test('requests wait for the time of a batch, if there is one', () => {
  expect(ledgerSpec(`${sampleLedger}batch: 90m\n`).batch).toBe('90m')
  // The rules of a ledger without it, and thereby its digest, are what they were before.
  expect(ledgerSpec()).not.toHaveProperty('batch')
})

test('validationGap needs validation samples and no gold', async () => {
  const text = sampleLedger
    .replace('averageGap', 'validationGap')
    .replace('gold: { models: 2 }', 'gold: none')
  expect(ledgerSpec(text).gold.models).toBe(0)
  const without = text.replace(', validation: 0.1', '')
  const error = await errorOf(
    Promise.resolve().then(() => ledgerSpec(without)),
    UserError,
  )
  expect(error.message).toContain('validationGap needs validation samples')
})
