import { describe, expect, test } from 'vitest'
import { trainedSeed } from '../../support/trained-seed.ts'
import { canonicalJson } from '../../../common/canonical.ts'
import { parsePath, valueAt } from '../../../common/path.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { findingsOf } from '../../../experiment/spec/config-issues.ts'
import { methodSchema, methodSchemas, type ApproximateMethodSpec } from '../../../experiment/spec/methods.ts'
import { valueIn } from '../../../experiment/spec/range.ts'
import { tuningOf, variantsOf, withValues } from '../../../experiment/spec/variants.ts'
import { seedsOf, stagesOf, trialStages } from '../../../experiment/stages/stage-list.ts'
import { expectListed } from './listed.ts'
import { checkProblems, digitFacts, parseProblems } from './sample.ts'

const untuned = `name: sample
data: { name: digits, validation: 0.1 }
split: { kind: random, fraction: 0.1 }
model: { name: mlp, hidden: [8] }
training: { epochs: 2 }
methods:
  - { method: original }
  - { method: finetune, epochs: 2 }
  - { method: scrub }
  - { method: rfa, label: wide, layers: ['linear*'] }
`
const tuned = (section = '{ trials: 8 }') => `${untuned}tune: ${section}\n`
const specOf = (text: string, ...overrides: string[]) => parseConfig({ file: 'a.yaml', text, overrides }).spec
const planOf = (text: string, ...overrides: string[]) => plan(specOf(text, ...overrides), digitFacts)
const keys = (planned: Plan) => stagesOf(planned).map(({ key }) => key)
const isApproximate = (row: { readonly method: string }): row is ApproximateMethodSpec =>
  !['original', 'retrain', 'weights'].includes(row.method)

describe('the plan of a tuned experiment', () => {
  test('has no trace of tuning if none is asked for', () => {
    expect(canonicalJson(specOf(untuned))).not.toContain('"tune"')
    expect(canonicalJson(planOf(untuned))).not.toMatch(/"tuned?"|trial/)
    // A row that is not tuned has the stages of an experiment without tuning.
    const off = planOf(tuned(), 'methods[1].tune=false', 'methods[2].tune=false', 'methods[3].tune=false')
    expect(keys(off)).toEqual(keys(planOf(untuned)))
  })

  test('changes no stage of rows that are not tuned, and no model that is compared with', () => {
    const [before, after] = [planOf(untuned), planOf(tuned(), 'methods[1].tune=false')]
    expect(after.original).toEqual(before.original)
    expect(after.gold).toEqual(before.gold)
    expect(after.split).toEqual(before.split)
    expect(after.candidates[1]).toEqual(before.candidates[1])
    expect(after.candidates[2]?.unlearn?.key).not.toBe(before.candidates[2]?.unlearn?.key)
    expect(after.candidates[2]?.unlearn?.params).toEqual(before.candidates[2]?.unlearn?.params)
    expect(after.tuning?.rows.map(({ label }) => label)).toEqual(['scrub', 'wide'])
  })

  test('tries one third of the variants again on the next seed, but at least two', () => {
    const rounds = (...overrides: string[]) =>
      planOf(tuned(), ...overrides).tuning?.rows[0]?.rounds.map(({ trials }) => trials.length)
    expect(rounds()).toEqual([8, 3])
    expect(rounds('tune.trials=3')).toEqual([3, 2])
    expect(rounds('tune.trials=27', 'tune.seeds=4')).toEqual([27, 9, 3, 2])
    expect(rounds('tune.seeds=1')).toEqual([8])
    expect(rounds('methods[1].tune={trials: 5}')).toEqual([5, 2])
  })

  test('lists inputs first, and a title once', () => {
    for (const split of ['{ kind: class, classes: [3] }', '{ kind: hard, by: highest-loss, count: 20 }'])
      expectListed(planOf(tuned(), `split=${split}`))
    expectListed(planOf(tuned(), 'seeds=3', 'tune.seeds=3'))
  })

  test('takes the options of a later round and of the row from the ranking before', () => {
    const planned = planOf(tuned(), 'seeds=2')
    const [row] = planned.tuning?.rows ?? []
    const [first, second] = row?.rounds ?? []
    expect(first?.trials.map(({ inputs }) => inputs.tuned)).toEqual(Array(8).fill(undefined))
    expect(second?.trials.map(({ params, inputs }) => [params.place, inputs.tuned?.key])).toEqual(
      [0, 1, 2].map((place) => [place, first?.ranking.key]),
    )
    for (const { candidates } of seedsOf(planned))
      expect(candidates[1]?.unlearn?.inputs.tuned?.key).toBe(second?.ranking.key)
  })

  test('has the same trials whatever the rows beside a row are, and whatever is compared', () => {
    const trials = (text: string, ...overrides: string[]) =>
      planOf(text, ...overrides)
        .tuning?.rows.filter(({ label }) => label === 'scrub')
        .flatMap(trialStages)
        .map(({ key }) => key)
    const own = trials(tuned())
    expect(own).toHaveLength(13)
    expect(trials(tuned(), 'seeds=5', 'gold.models=4', 'methods[1].tune=false', 'attack.samples=50')).toEqual(
      own,
    )
    expect(trials(tuned().replace('  - { method: finetune, epochs: 2 }\n', ''))).toEqual(own)
    expect(trials(tuned('{ trials: 5 }'))?.slice(0, 5)).toEqual(own?.slice(0, 5))
  })

  test.each([
    ['random', '{ kind: random, fraction: 0.1 }'],
    ['class-fraction', '{ kind: class-fraction, classes: [1, 2], fraction: 0.4 }'],
    ['hard', '{ kind: hard, by: highest-loss, fraction: 0.1 }'],
    ['indices', '{ kind: indices, indices: [4, 5, 6] }'],
    ['class', '{ kind: class, classes: [3, 7] }'],
  ])('shares no seed and no forget set with the comparison: %s', (kind, split) => {
    const several = kind === 'hard' ? [] : ['seeds=256']
    const planned = planOf(tuned(), `split=${split}`, 'gold.models=16', 'tune.seeds=4', ...several)
    const { seeds = [], rows = [] } = planned.tuning ?? {}
    const compared = seedsOf(planned)
    const training = new Set(
      compared.flatMap(({ original, gold, twin }) =>
        [original, ...gold, ...(twin ? [twin.model] : [])].map(({ params }) => trainedSeed(params)),
      ),
    )
    const unlearning = new Set(
      compared.flatMap(({ candidates }) => candidates.flatMap(({ unlearn }) => unlearn?.params.seed ?? [])),
    )
    expect(new Set(seeds.map(({ original }) => original.key)).size).toBe(4)
    for (const { original } of seeds) expect(training).not.toContain(trainedSeed(original.params))
    for (const trial of rows.flatMap(({ rounds }) => rounds.flatMap(({ trials }) => trials)))
      expect(unlearning).not.toContain(trial.params.seed)
    for (const { split: own, ranking } of seeds) {
      expect(own.key).not.toBe(planned.split.key)
      expect(own.params.seed).not.toBe(planned.split.params.seed)
      expect(ranking !== undefined).toBe(kind === 'hard')
      const { split: chosen } = own.params
      if (chosen.kind === 'class') {
        expect(chosen.classes).toHaveLength(2)
        expect(chosen.classes).not.toContain(3)
        expect(chosen.classes).not.toContain(7)
      } else expect(own.inputs.comparison?.key).toBe(planned.split.key)
      if (kind === 'indices') expect(chosen).toEqual({ kind: 'random', count: 3 })
    }
  })
})

describe('the variants of a row', () => {
  const [, finetune] = specOf(tuned()).methods
  if (finetune?.method !== 'finetune') throw new Error('the sample has no finetune')

  test('are its own options and draws within the space', () => {
    const [own, ...drawn] = variantsOf(finetune, specOf(tuned('{ trials: 64 }')))
    expect(own).toEqual({ method: 'finetune', epochs: 2, schedule: { name: 'constant' } })
    expect(new Set(drawn.map(canonicalJson)).size).toBe(63)
    // The training has Adam with a rate of 0.001, which the row leaves out.
    const rates = drawn.map((variant) => Number(valueAt(variant, ['optimizer', 'learningRate'])))
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4)
    expect(Math.max(...rates)).toBeLessThanOrEqual(1e-2)
    // On a logarithmic scale half of the rates are below the row's own.
    expect(rates.filter((rate) => rate < 1e-3).length).toBeGreaterThan(20)
    expect(rates.filter((rate) => rate > 1e-3).length).toBeGreaterThan(20)
    expect(new Set(drawn.map((variant) => valueAt(variant, ['epochs'])))).toEqual(new Set([1, 2, 3, 4]))
  })

  test('depend on the unlearning seed, the label and the number of the variant alone', () => {
    const of = (text: string, ...overrides: string[]) => variantsOf(finetune, specOf(text, ...overrides))
    expect(of(tuned('{ trials: 12 }')).slice(0, 8)).toEqual(of(tuned()))
    expect(of(tuned(), 'seed.training=5', 'seed.split=5')).toEqual(of(tuned()))
    expect(of(tuned(), 'seed.unlearning=5')).not.toEqual(of(tuned()))
    expect(variantsOf({ ...finetune, label: 'other' }, specOf(tuned()))).not.toEqual(of(tuned()))
  })

  test('have the space of the row in place of that of the method', () => {
    const { methods, ...spec } = specOf(
      tuned(),
      'methods[1].tune={trials: 20, space: {epochs: {from: 3, to: 5, whole: true}}}',
    )
    const row = methods.find(isApproximate)
    if (!row) throw new Error('no row')
    const drawn = variantsOf(row, spec).slice(1)
    expect(drawn).toHaveLength(19)
    expect(new Set(drawn.map(canonicalJson))).toEqual(
      new Set([3, 4, 5].map((epochs) => canonicalJson({ ...variantsOf(row, spec)[0], epochs }))),
    )
  })

  test('exist for one row without a section', () => {
    const planned = planOf(untuned, 'methods[2].tune={}')
    expect(planned.tuning?.rows.map(({ label, rounds }) => [label, rounds[0]?.trials.length])).toEqual([
      ['scrub', 8],
    ])
  })
})

/** Options that a method has no default for. */
const required = { epochs: 3 }

describe('the default search space of', () => {
  const names = methodSchemas
    .map(({ shape }) => shape.method.value)
    .filter((name) => isApproximate({ method: name }))

  test.each(['replay', 'sisa'])('%s is empty, since it is exact', (method) => {
    expect(tuningOf(methodSchema.parse({ method }), specOf(tuned()))).toBeUndefined()
  })

  test('damp is empty: a section tune leaves its row as it is, and a tune of its own needs a space', () => {
    const damp = (options: object) => methodSchema.parse({ method: 'damp', ...options })
    expect(tuningOf(damp({}), specOf(tuned()))).toBeUndefined()
    // The check of configs refuses an empty space.
    expect(tuningOf(damp({ tune: { trials: 2 } }), specOf(tuned()))).toEqual({ trials: 2, space: {} })
  })

  test.each(names.filter((name) => !['damp', 'replay', 'sisa'].includes(name)))(
    '%s has values that the method takes',
    (method) => {
      const fields = methodSchemas.find(({ shape }) => shape.method.value === method)?.shape ?? {}
      const row = methodSchema.parse({ method, ...('epochs' in fields && required) })
      if (!isApproximate(row)) throw new Error(method)
      const spec = specOf(tuned())
      const space = Object.entries(tuningOf(row, spec)?.space ?? {})
      expect(space.length).toBeGreaterThan(0)
      for (const [path, range] of space) {
        const [first = ''] = parsePath(path) ?? []
        expect(Object.keys(fields)).toContain(first)
        for (const u of [0, 0.5, 1 - 2 ** -52])
          expect(findingsOf(methodSchema, withValues(row, spec, [[path, valueIn(range, u)]]))).toEqual([])
      }
      expect(variantsOf(row, spec)).toHaveLength(8)
    },
  )
})

describe('a tuning is refused', () => {
  const row = (tune: string) =>
    untuned.replace('epochs: 2 }\n  - { method: scrub', `epochs: 2, tune: ${tune} }\n  - { method: scrub`)

  test.each([
    ['tune: { trials: 1 }', 'tune.trials', 'tune.trials: expected a number at least 2, found 1'],
    ['tune: { by: gold }', 'tune.by', 'unknown by "gold"; known: validation-gap'],
    ['tune: { rungs: 2 }', 'tune.rungs', 'unknown key "rungs"'],
    ['tune: { seeds: 5 }', 'tune.seeds', 'tune.seeds: expected a number at most 4, found 5'],
  ])('%s', (section, path, message) => {
    const [problem] = parseProblems(`${untuned}${section}\n`)
    expect(problem?.path).toBe(path)
    expect(problem?.message).toContain(message)
  })

  test.each([
    ['{ trails: 4 }', 'methods[1].tune.trails', 'unknown key "trails"; did you mean "trials"?'],
    ['true', 'methods[1].tune', 'methods[1].tune: expected'],
    ['{ trials: few }', 'methods[1].tune.trials', 'expected a whole number, found text "few"'],
    ['{ space: { epochs: { from: a, to: 2 } } }', 'methods[1].tune.space.epochs', 'expected'],
  ])('with %s in a row', (tune, path, message) => {
    const [problem] = parseProblems(row(tune))
    expect(problem?.path).toBe(path)
    expect(problem?.message).toContain(message)
    expect(problem?.line).toBe(8)
  })

  test.each([
    ['{ space: {} }', '', 'the search space is empty'],
    ['{ space: { epoch: { from: 1, to: 2 } } }', '.epoch', 'unknown key "epoch"; did you mean "epochs"?'],
    ['{ space: { optimizer.rate: { from: 1, to: 2 } } }', '.optimizer.rate', 'unknown key "rate"'],
    ['{ space: { label: { choices: [a, b] } } }', '.label', '"label" is no path of an option'],
    ['{ space: { method: { choices: [rfa] } } }', '.method', '"method" is no path of an option'],
    ['{ space: { epochs: { from: 2, to: 2 } } }', '.epochs', 'from 2 to 2; expected from < to'],
    ['{ space: { epochs: { from: 0, to: 2, scale: log } } }', '.epochs', 'begins above 0'],
    ['{ space: { epochs: { from: 1.5, to: 2, whole: true } } }', '.epochs', 'has whole ends'],
    ['{ space: { epochs: { from: -1, to: 2 } } }', '.epochs', 'expected a number above 0, found -1'],
    ['{ space: { epochs: { choices: [2, many] } } }', '.epochs', 'expected a number, found text "many"'],
  ])('with the space of a row %s', (tune, path, message) => {
    const [problem, ...others] = checkProblems(row(tune))
    expect(problem?.path).toBe(`methods[1].tune.space${path}`)
    expect(problem?.message).toContain(message)
    expect(problem?.line).toBe(8)
    expect(others).toEqual([])
  })

  test('if a variant cannot be computed, where the space is written', () => {
    const text = untuned.replace(
      "label: wide, layers: ['linear*']",
      "label: wide, layers: ['linear*'], tune: { space: { rank: { choices: [99] } } }",
    )
    const [problem, ...others] = checkProblems(text)
    expect(others).toEqual([])
    expect(problem).toMatchObject({
      path: 'methods[3].tune.space',
      message: expect.stringContaining('variant 1 of wide cannot be computed: rank 99 is above') as string,
    })
  })

  test.each([
    ['without validation samples', ['data.validation=0'], 'tuning needs samples that no model trains on'],
    ['if more than half is forgotten', ['split.fraction=0.6'], 'forget at most half of them'],
  ])('%s', (_, overrides, message) => {
    expect(checkProblems(tuned(), digitFacts, ...overrides)).toMatchObject([
      { path: 'tune', message: expect.stringContaining(message) as string },
    ])
  })

  test('for a class of two, and for methods without options', () => {
    const two = { ...digitFacts, train: digitFacts.train.map((count, i) => (i < 2 ? count : 0)) }
    const class0 = 'split={ kind: class, classes: [0] }'
    expect(checkProblems(tuned(), two, class0)).toMatchObject([
      { path: 'tune', message: expect.stringContaining('digits has samples of 2') as string },
    ])
    expect(parseProblems(untuned, 'methods[0].tune={}')).toMatchObject([
      { path: 'methods[0].tune', message: 'unknown key "tune"; known: method, label' },
    ])
    expect(checkProblems(tuned())).toEqual([])
  })
})
