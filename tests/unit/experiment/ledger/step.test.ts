import { expect, test } from 'vitest'
import { ledgerOfRun } from '../../../../experiment/ledger/ledger.ts'
import { stateAfter } from '../../../../experiment/ledger/state.ts'
import { stepSpec, withoutLedgerPlaces } from '../../../../experiment/ledger/step.ts'
import { plan } from '../../../../experiment/plan/plan.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { digitFacts } from '../sample.ts'
import { ledgerSpec, model, record, request, sampleLedger } from './ledgers.ts'

const spec = ledgerSpec()
const first = { forgotten: [] }
const later = { forgotten: [7, 3], current: model('b') }

test('the first request starts from the original that the ledger trains', () => {
  const step = stepSpec(spec, { number: 1, step: 1 }, [5], first)
  expect(step).toMatchObject({ name: 'sample-1-1', split: { kind: 'indices', indices: [5] } })
  expect(step.original).toBeUndefined()
  // The model in use is judged beside the method's.
  expect(step.methods).toEqual([spec.ladder[0], { method: 'original', label: 'model in use' }])
  // It is the spec of an ordinary experiment.
  expect(specSchema.parse(step)).toEqual(step)
})

test('the time for which requests wait is no part of an experiment', () => {
  const asked = [{ number: 1, step: 1 }, [5, 7], first] as const
  expect(stepSpec({ ...spec, batch: '1d' }, ...asked)).toEqual(stepSpec(spec, ...asked))
})

test('a later request forgets the earlier samples as well, and starts from the model in use', () => {
  const step = stepSpec(spec, { number: 3, step: 1 }, [5], later)
  expect(step.split).toEqual({ kind: 'indices', indices: [3, 5, 7] })
  const { sha256, bytes } = model('b')
  expect(step.original?.given).toEqual({ kind: 'weights', files: [{ name: sha256, sha256, bytes }] })
  const planned = plan(step, digitFacts)
  expect(planned.original.params.on).toBe('given')
  expect(planned.candidates[0]?.unlearn?.inputs.original.key).toBe(planned.original.key)
})

test.each([
  ['replay', 2],
  ['retrain', 3],
])('%s starts from the training of the ledger, with all samples left out', (method, step) => {
  const asked = stepSpec(spec, { number: 3, step }, [5], later)
  expect(asked).toMatchObject({ methods: [{ method }], split: { indices: [3, 5, 7] } })
  expect(asked.original).toBeUndefined()
  const { original } = plan(asked, digitFacts)
  expect(original.key).toBe(plan(stepSpec(spec, { number: 1, step: 1 }, [5], first), digitFacts).original.key)
})

test('retrain makes its own gold model where the ledger has none', () => {
  const text = sampleLedger
    .replace('averageGap', 'validationGap')
    .replace('gold: { models: 2 }', 'gold: none')
  const without = ledgerSpec(text)
  expect(stepSpec(without, { number: 1, step: 1 }, [5], first).gold.models).toBe(0)
  expect(stepSpec(without, { number: 1, step: 3 }, [5], first).gold.models).toBe(1)
})

test('requests of a pre-trained model start from the weights of its blob', () => {
  const step = stepSpec(
    { ...spec, model: { name: 'pretrained', head: 'auto' } },
    { number: 2, step: 1 },
    [5],
    later,
  )
  expect(step.original?.given?.kind).toBe('weights')
})

test('the record of a ledger has no directory of this machine', () => {
  const { original } = withoutLedgerPlaces({ ...spec, original: { from: '/home/me/model' } })
  expect(original).toEqual({})
})

test.each([
  ['sample-1-2-0123abcd', 'sample'],
  ['sample-two-12-3-0123abcd', 'sample-two'],
  ['sample-0123abcd', undefined],
  ['other-1-2-0123abcd', undefined],
])('%s is a step of %s', (run, ledger) => {
  expect(ledgerOfRun(run, ['sample', 'sample-two'])).toBe(ledger)
})

test('the state after requests: what is forgotten, and the model in use', () => {
  const one = { request: request(1, [3, 7]), record: record(1, 'refused', 'a') }
  const two = { request: request(2, [4]), record: record(2, 'fulfilled', 'b') }
  const three = { request: request(3, [9]), record: record(3, 'refused', 'b') }
  expect(stateAfter([])).toEqual({ forgotten: [], previous: null })
  // After a refusal the model is still the original, which is trained or given.
  expect(stateAfter([one])).toMatchObject({ forgotten: [], model: model('a') })
  expect(stateAfter([one])).not.toHaveProperty('current')
  expect(stateAfter([one, two, three])).toMatchObject({
    forgotten: [4],
    current: model('b'),
    model: model('b'),
  })
  expect(stateAfter([one, two]).previous).not.toBe(stateAfter([one, two, three]).previous)
})
