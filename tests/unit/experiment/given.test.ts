import { describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { checkSpec } from '../../../experiment/spec/check.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import type { GivenFiles } from '../../../experiment/spec/given.ts'
import { withoutPlaces } from '../../../experiment/spec/places.ts'
import type { Spec } from '../../../experiment/spec/spec.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { digitFacts, sample } from './sample.ts'

const parsed = (more: string, text = sample) => parseConfig({ file: 'a.yaml', text: `${text}${more}` }).spec
const weights = (letter: string): GivenFiles => ({
  kind: 'weights',
  files: [{ name: 'model.safetensors', sha256: letter.repeat(64), bytes: 100 }],
})
const logits: GivenFiles = {
  kind: 'logits',
  files: [{ name: 'logits.npy', sha256: 'c'.repeat(64), bytes: 100 }],
}
const withOriginal = (spec: Spec, letter = 'a'): Spec => ({
  ...spec,
  original: { from: './model', given: weights(letter) },
})
const keysOf = (planned: Plan) => stagesOf(planned).map(({ key }) => key)

function refusals(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    if (error instanceof UserError)
      return error.problems.map(({ path, message }) => `${path ?? ''}: ${message}`)
    throw error
  }
  return []
}
const checked = (spec: Spec) => refusals(() => checkSpec(spec, digitFacts, () => ({})))

describe('an original from elsewhere', () => {
  const spec = withOriginal(parsed('seeds: 3\n'))

  test('is trained by no stage, and every method of every seed starts from it', () => {
    const planned = plan(spec, digitFacts)
    const originals = [planned, ...(planned.seeds ?? [])].map(({ original }) => original)
    expect(new Set(originals.map(({ key }) => key))).toHaveLength(1)
    expect(planned.original.params).toEqual({ on: 'given', model: spec.model })
    expect(
      stagesOf(planned).filter(({ kind, title }) => kind === 'train' && title.includes('original')),
    ).toHaveLength(1)
    const made = planned.candidates.find(({ method }) => method === 'rfa')
    expect(made?.unlearn?.inputs.original.key).toBe(planned.original.key)
    const order = keysOf(planned)
    expect(order.indexOf(planned.given?.[0]?.key ?? '')).toBeLessThan(order.indexOf(planned.original.key))
  })

  test('is identified by its files, and neither by their place nor by the training', () => {
    const { original } = plan(spec, digitFacts)
    const elsewhere: Spec = { ...spec, original: { from: 'hf://a/b', given: weights('a') } }
    expect(keysOf(plan(elsewhere, digitFacts))).toEqual(keysOf(plan(spec, digitFacts)))
    const longer: Spec = { ...spec, training: spec.training && { ...spec.training, epochs: 50 } }
    expect(plan(longer, digitFacts).original.key).toBe(original.key)
    expect(plan(withOriginal(spec, 'b'), digitFacts).original.key).not.toBe(original.key)
  })

  test('leaves no directory in the record, but a URL', () => {
    expect(withoutPlaces(spec).original).toEqual({ given: weights('a') })
    const url: Spec = { ...spec, original: { from: 'hf://a/b@c', given: weights('a') } }
    expect(withoutPlaces(url).original?.from).toBe('hf://a/b@c')
  })

  test('is that of the tuning, too', () => {
    const tuned = withOriginal(
      parsed('tune: { trials: 2 }\n', sample.replace('name: digits', 'name: digits\n  validation: 0.2')),
    )
    const planned = plan(tuned, digitFacts)
    expect(planned.tuning?.seeds.map(({ original }) => original.key)).toEqual(
      planned.tuning?.seeds.map(() => planned.original.key),
    )
  })

  test('adds nothing to the keys of other experiments', () => {
    expect(parsed('')).not.toHaveProperty('original')
    expect(parsed('').gold).toEqual({ models: 2 })
    // The spec of a report is parsed again.
    expect(parsed('gold: { models: 3 }\n').gold).toEqual({ models: 3 })
  })
})

describe('gold', () => {
  test('of none has no stage, and only figures that need it are left out', () => {
    const spec = parsed('gold: none\nrelearn: {}\nprobe: {}\nfeatures: {}\nagreement: {}\nseeds: 3\n')
    const planned = plan(spec, digitFacts)
    expect(spec.gold).toEqual({ models: 0 })
    expect(planned.gold).toEqual([])
    expect(planned.reference).toBeUndefined()
    expect(planned.population).toBeUndefined()
    const [row] = planned.candidates
    expect(Object.keys(row?.compare.inputs ?? {})).not.toContain('goldEvaluation')
    expect(row?.relearn).toBeDefined()
    expect(Object.keys(row?.probe?.inputs ?? {})).toEqual(['dataset', 'split', 'model'])
    expect(row?.features).toBeUndefined()
    expect(row?.agreement).toBeUndefined()
    expect(
      keysOf(
        plan(
          parsed('gold: { models: 0 }\nrelearn: {}\nprobe: {}\nfeatures: {}\nagreement: {}\nseeds: 3\n'),
          digitFacts,
        ),
      ),
    ).toEqual(keysOf(planned))
  })

  test('of its own training is trained by it, and the original as before', () => {
    const [own, usual] = [parsed('gold: { training: { epochs: 9 } }\n'), parsed('')].map((one) =>
      plan(one, digitFacts),
    )
    expect(own?.original.key).toBe(usual?.original.key)
    expect(own?.gold.map(({ params }) => ('training' in params ? params.training.epochs : 0))).toEqual([9, 9])
  })

  test('from elsewhere is not trained, and is as many models as there are places', () => {
    const asked = parsed('gold: { from: [a, b] }\n')
    expect(asked.gold).toEqual({ from: ['a', 'b'], models: 2 })
    const spec: Spec = { ...asked, gold: { ...asked.gold, given: [weights('a'), weights('b')] } }
    const planned = plan(spec, digitFacts)
    expect(planned.gold.map(({ params }) => params.on)).toEqual(['given', 'given'])
    expect(planned.given).toHaveLength(2)
    expect(planned.floor).toHaveLength(1)
  })

  test.each([
    [
      'gold: { models: 3, from: a }',
      'gold.models: gold.from names 1 of the gold models, and gold.models is 3',
    ],
    [
      'gold: { from: a, training: { epochs: 1 } }',
      'gold.from: gold.from with gold.training is the checkpoint',
    ],
    [
      'gold: { from: [a, b], unseen: true, training: { epochs: 1 } }',
      "gold.from: gold's training starts from one checkpoint",
    ],
    ['gold: { unseen: true }', 'gold.unseen: gold.unseen is about the checkpoint'],
    ['gold: { models: 0, training: { epochs: 1 } }', 'gold.models: there is to be no gold model'],
    ['gold: nothing', 'gold'],
    ['original: {}', 'original: original.from is missing'],
  ])('%s is refused', (text, message) => {
    const found = refusals(() => parsed(`${text}\n`))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
  })

  test('is needed by its own row, and by several seeds of their own', () => {
    const rows = parsed('gold: none\n', sample.replace('method: original', 'method: retrain'))
    expect(checked(rows)).toEqual([expect.stringContaining('methods[0].method: retrain is the gold model')])
    const seeds = parsed('gold: { from: a }\nseeds: 3\n')
    const given: Spec = { ...seeds, gold: { ...seeds.gold, given: [weights('a')] } }
    expect(checked(given)).toEqual([expect.stringContaining('seeds: gold.from names the same gold models')])
  })
})

describe('a row of weights', () => {
  const asked = parsed(
    '  - { method: weights, label: from a paper, from: x }\nrelearn: {}\nprobe: {}\nagreement: {}\n',
  )
  const row = (given: GivenFiles): Spec => ({
    ...asked,
    methods: asked.methods.map((one) => (one.method === 'weights' ? { ...one, given } : one)),
  })

  test('runs no method and is judged as any other row', () => {
    const planned = plan(row(weights('a')), digitFacts)
    const found = planned.candidates.find(({ method }) => method === 'weights')
    expect(found?.label).toBe('from a paper')
    expect(found?.unlearn).toBeUndefined()
    expect(found?.model.key).toBe(found?.given?.model.key)
    expect(Object.keys(found ?? {})).toEqual(
      expect.arrayContaining(['evaluate', 'attack', 'compare', 'relearn', 'probe', 'agreement']),
    )
    expect(keysOf(planned)).toContain(found?.given?.checkpoint.key)
  })

  test('of logits has no stage that needs weights', () => {
    const found = plan(row(logits), digitFacts).candidates.find(({ method }) => method === 'weights')
    expect(found?.agreement).toBeDefined()
    expect([found?.relearn, found?.probe]).toEqual([undefined, undefined])
  })

  test('needs a place', () => {
    expect(refusals(() => parsed('  - { method: weights }\n'))).toEqual([
      expect.stringContaining('methods[2]: methods[2].from is missing'),
    ])
  })

  test('leaves no directory in the record', () => {
    expect(withoutPlaces(row(logits)).methods.at(-1)).toEqual({
      method: 'weights',
      label: 'from a paper',
      given: logits,
    })
  })
})

describe('a split by names', () => {
  const spec: Spec = { ...parsed(''), split: { kind: 'names', file: 'forget.txt', indices: [1, 5] } }

  test('has the keys of the same split by indices', () => {
    const indices: Spec = { ...spec, split: { kind: 'indices', indices: [1, 5] } }
    expect(keysOf(plan(spec, digitFacts))).toEqual(keysOf(plan(indices, digitFacts)))
  })

  test('keeps its samples in the training set where they would be set apart', () => {
    const kept: Spec = { ...spec, split: { kind: 'names', file: 'forget.txt', indices: [1, 5], kept: true } }
    expect(plan(kept, digitFacts).dataset.params.keep).toEqual([1, 5])
    expect(plan(spec, digitFacts).dataset.params).not.toHaveProperty('keep')
  })
})
