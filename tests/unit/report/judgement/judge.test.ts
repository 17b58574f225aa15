import { describe, expect, test } from 'vitest'
import { stream, type RandomStream } from '../../../../learning/random.ts'
import { judge, withStandings } from '../../../../report/judgement/judge.ts'
import { details, headline } from '../../../../report/judgement/words.ts'
import { results } from '../../../../report/results.ts'
import { candidate, sampleInput, withManifest, type Model, type Options } from '../fixtures.ts'

type Seeds = NonNullable<Options['seeds']>
type Draw = (random: RandomStream, fixed: Partial<Model>) => Partial<Model>

/** A model like a gold one: seeds differ by a normal deviation of so many points. */
const goldLike =
  (deviation: number): Draw =>
  (random, fixed) => ({
    ra: 98 + deviation * random.normal(),
    fa: 90 + deviation * random.normal(),
    ta: 91 + deviation * random.normal(),
    mia: 20 + deviation * random.normal(),
    ...fixed,
  })

const forgotNothing = { fa: 100, mia: 1 }

/** Seeds of a random split whose models are drawn. `rows` overrides some of them. */
function drawn(
  n: number,
  deviation: number,
  rows: Readonly<Record<string, Partial<Model>>>,
  draw = 0,
): Seeds {
  return Array.from({ length: n }, (_, seed) => {
    const random = stream(draw, 'judge', seed)
    const labels = ['original', 'retrain', 'retrain, seed 2', 'finetune', 'rfa', 'rfa mean']
    return Object.fromEntries(labels.map((label) => [label, goldLike(deviation)(random, rows[label] ?? {})]))
  })
}

const input = (seeds: Seeds, options: Options = {}) =>
  sampleInput({ split: { kind: 'random', fraction: 0.1 }, seeds, ...options })

const known = { original: forgotNothing, finetune: forgotNothing }

const methodOf = (judgement: ReturnType<typeof judge>, label: string) => {
  const found = judgement.methods.find((method) => method.label === label)
  if (!found) throw new Error(`${label} was not judged`)
  return found
}

describe('a method beside another gold model', () => {
  test('is equivalent where every criterion holds it within δ, and distinguishable where one does not', () => {
    const judgement = judge(input(drawn(8, 0.1, known)))
    expect(methodOf(judgement, 'rfa').verdict).toBe('equivalent')
    const finetune = methodOf(judgement, 'finetune')
    expect(finetune.verdict).toBe('distinguishable')
    expect(finetune.tests.filter(({ outcome }) => outcome === 'further').map(({ id }) => id)).toEqual(
      expect.arrayContaining(['ua', 'mia', 'activation-forget', 'js']),
    )
    // 10 points of UA, where gold models are some tenths apart.
    expect(finetune.tests.find(({ id }) => id === 'ua')?.test.mean).toBeCloseTo(9.9, 0)
    expect(judgement.amongBest).toEqual(expect.arrayContaining(['rfa', 'rfa mean']))
    expect(judgement.amongBest).not.toContain('finetune')
    expect(headline(judgement)).toBe(
      'Of 3 approximate methods, 2 are equivalent within δ to another gold model (rfa, rfa mean) and 1 is distinguishable from gold.',
    )
  })

  test('is undecided where few seeds that differ much could show neither', () => {
    const judgement = judge(input(drawn(3, 2, known)))
    expect(methodOf(judgement, 'rfa').verdict).toBe('undecided')
    expect(headline(judgement)).toMatch(/undecided at 3 seeds/)
  })

  test('is distinguishable by harm to the retained set, which the original does not show', () => {
    const judgement = judge(input(drawn(8, 0.1, { ...known, rfa: { ra: 70, ta: 65 } })))
    expect(methodOf(judgement, 'rfa')).toMatchObject({ verdict: 'distinguishable' })
    expect(headline(judge(input(drawn(8, 0.1, known), { methods: only('rfa') })))).toBe(
      'rfa, the only approximate method, is equivalent within δ to another gold model.',
    )
  })

  test('is not equivalent where a seed has no figure', () => {
    const whole = input(drawn(8, 0.1, known))
    const lost = withManifest(whole, candidate(whole, 'rfa').compare, (manifest) => ({
      ...manifest,
      metrics: { ...manifest.metrics, mia: { missing: 'the attack had no members' } },
    }))
    const judgement = judge(lost)
    const rfa = methodOf(judgement, 'rfa')
    expect(rfa.verdict).toBe('undecided')
    expect(rfa.missing).toEqual([{ id: 'mia', reason: 'seed 1: the attack had no members' }])
    expect(rfa.excess).toBeUndefined()
    expect(details(judgement).join(' ')).toContain('Not ranked, for want of figures: rfa.')
  })

  test('has its verdict in its row, and gold and the original have none', () => {
    const sample = input(drawn(8, 0.1, known))
    const rows = withStandings(results(sample), judge(sample))
    expect(rows.map(({ label, standing }) => [label, standing?.verdict])).toEqual([
      ['original', undefined],
      ['retrain', undefined],
      ['finetune', 'distinguishable'],
      ['rfa', 'equivalent'],
      ['rfa mean', 'equivalent'],
      ['retrain, gold 2', undefined],
    ])
  })
})

function only(label: string) {
  return [{ method: 'original' }, { method: 'retrain' }, { method: label, steps: 20 }]
}

test('U-LiRA counts with its accuracy in each seed, which share models', () => {
  const whole = input(drawn(8, 0.1, known))
  const accuracies: Readonly<Record<string, number>> = { original: 75, finetune: 85, rfa: 50, 'rfa mean': 64 }
  const attacked = (whole.run.plan.population ?? []).reduce(
    (changed, { label, stage }) =>
      withManifest(changed, stage, (manifest) => ({
        ...manifest,
        metrics: {
          ...manifest.metrics,
          uLiraBySeed: Array.from({ length: 8 }, (_, i) => (accuracies[label] ?? 49) + (i % 2)),
        },
      })),
    whole,
  )
  const judgement = judge(attacked)
  expect(judgement.criteria.find(({ id }) => id === 'u-lira')).toMatchObject({ counts: true })
  const ofLabel = (label: string) =>
    methodOf(judgement, label).tests.find(({ id }) => id === 'u-lira') ?? { outcome: 'none', test: undefined }
  expect(ofLabel('rfa')).toMatchObject({ outcome: 'equivalent', test: { mean: 1 } })
  expect(ofLabel('rfa mean')).toMatchObject({ outcome: 'further', test: { mean: 15 } })
  // Its averages are gold's, and the worst family decides.
  expect(methodOf(judgement, 'rfa mean').verdict).toBe('distinguishable')
})

describe('no method is tested', () => {
  const impossible = (seeds: Seeds, options: Options = {}) => judge(input(seeds, options)).impossible

  test('where the original, which has forgotten nothing, is as close to gold as another gold model', () => {
    const judgement = judge(input(drawn(8, 0.5, {})))
    expect(judgement.methods).toEqual([])
    expect(headline(judgement)).toMatch(
      /^This experiment cannot separate methods: by no criterion is the original/,
    )
  })

  test('with one seed, without a second gold model, without the original', () => {
    expect(judge(sampleInput()).impossible).toMatch(/^one seed does not show how much seeds differ/)
    expect(impossible(drawn(3, 0.1, known), { gold: 1 })).toMatch(/^there is one gold model per seed/)
    const methods = [{ method: 'retrain' }, { method: 'rfa', steps: 20 }]
    expect(impossible(drawn(3, 0.1, known), { methods })).toMatch(/^the original model is not among/)
  })
})

test('a criterion that cannot see forgetting is no evidence, and is named', () => {
  const blind = { ...known, original: { ...forgotNothing, mia: 20 } }
  const judgement = judge(
    input(drawn(8, 0.5, { ...blind, retrain: { mia: 20 }, 'retrain, seed 2': { mia: 20 } })),
  )
  expect(judgement.criteria.find(({ id }) => id === 'mia')).toMatchObject({ counts: false })
  expect(details(judgement).join(' ')).toContain(
    'No evidence here, for want of a difference between the original and another gold model: MIA.',
  )
})

describe('over many runs', () => {
  const share = (runs: number, of: (draw: number) => boolean) =>
    Array.from({ length: runs }, (_, draw) => of(draw)).filter(Boolean).length / runs

  test('a method that is a gold model is called distinguishable in about 5% of them or less', () => {
    const rate = share(200, (draw) => {
      const judgement = judge(input(drawn(5, 1, known, draw)))
      return methodOf(judgement, 'rfa').verdict === 'distinguishable'
    })
    expect(rate).toBeLessThan(0.09)
  })

  test('a method that is δ further than the floor is called equivalent in about 5% of them or less', () => {
    const further = (draw: number): Seeds =>
      drawn(
        8,
        0.2,
        { ...known, retrain: { ra: 98, ta: 91 }, 'retrain, seed 2': { ra: 98, ta: 91 } },
        draw,
      ).map((models) => {
        const { ra = 0, ta = 0 } = models['rfa mean'] ?? {}
        // One point below gold, up to the noise that was drawn.
        return { ...models, rfa: { ...models.rfa, ra: ra - 1, ta: ta - 1 } }
      })
    const rate = share(200, (draw) => methodOf(judge(input(further(draw))), 'rfa').verdict === 'equivalent')
    expect(rate).toBeLessThan(0.09)
  })
})
