import { describe, expect, test } from 'vitest'
import { lowestGap, forgottenTest, results } from '../../../report/results.ts'
import { candidate, sampleInput, withManifest, withoutStages } from './fixtures.ts'

const figures = (input = sampleInput()) =>
  Object.fromEntries(results(input).map(({ label, metrics }) => [label, metrics]))

describe('results', () => {
  test('one row for each candidate in the order of the plan, then one for each further gold model', () => {
    const rows = results(sampleInput({ gold: 3 }))
    expect(rows.map(({ label, method }) => [label, method])).toEqual([
      ['original', 'original'],
      ['retrain', 'retrain'],
      ['finetune', 'finetune'],
      ['rfa', 'rfa'],
      ['rfa mean', 'rfa'],
      ['retrain, seed 2', 'retrain'],
      ['retrain, seed 3', 'retrain'],
    ])
  })

  test("RTE is the unlearning's seconds over the first gold model's", () => {
    const rte = (label: string) => figures()[label]?.rte
    expect(rte('original')).toEqual({ value: 0 })
    expect(rte('retrain')).toEqual({ value: 1 })
    expect(rte('finetune')).toEqual({ value: 1.5 / 20 })
    expect(rte('rfa')).toEqual({ value: 4 / 20 })
    expect(rte('retrain, seed 2')).toEqual({ value: 19 / 20 })
  })

  test('RTE is missing, not infinite, where retraining took no time', () => {
    const input = sampleInput({ models: { retrain: { seconds: 0 } } })
    expect(figures(input).rfa?.rte).toHaveProperty('missing')
  })

  test('what an unlearning that failed would have given is missing, with its reason; other rows stand', () => {
    const all = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(all, 'rfa')
    const reason = 'the loss is not finite at step 3'
    const input = withoutStages(
      all,
      [unlearn, evaluate, attack, compare],
      [{ title: unlearn?.title ?? '', reason }],
    )
    const found = figures(input)
    for (const measured of Object.values(found.rfa ?? {}))
      expect(measured).toEqual({ missing: `unlearn by rfa failed: ${reason}` })
    const { rfa: _, ...others } = figures(all)
    expect(found).toMatchObject(others)
  })

  test('a failed attack leaves what the outputs alone give', () => {
    const all = sampleInput()
    const { attack, compare } = candidate(all, 'rfa')
    const input = withoutStages(all, [attack, compare], [{ title: attack.title, reason: 'no members' }])
    const { ra, ua, ta, gapWithoutMia, rte, ...rest } = figures(input).rfa ?? {}
    expect({ ra, ua, ta, rte }).toEqual({
      ra: { value: 99.82 },
      ua: { value: 100 },
      ta: { value: 96.25 },
      rte: { value: 0.2 },
    })
    // |99.82 − 100| in RA and |96.25 − 97.08| in TA, over three.
    expect(gapWithoutMia).toEqual({ value: expect.closeTo((0.18 + 0.83) / 3, 10) as number })
    for (const measured of Object.values(rest))
      expect(measured).toEqual({ missing: 'attack rfa failed: no members' })
  })

  test('a failed second gold model leaves the floor missing, and nothing else', () => {
    const all = sampleInput()
    const [, second] = all.run.plan.gold
    const { evaluate, attack, compare } = candidate(all, 'retrain, seed 2')
    const input = withoutStages(
      all,
      [second, evaluate, attack, compare],
      [{ title: second?.title ?? '', reason: 'evicted' }],
    )
    expect(figures(input)['retrain, seed 2']?.averageGap).toEqual({
      missing: 'train gold, seed 2 failed: evicted',
    })
    expect(figures(input).rfa).toEqual(figures(all).rfa)
  })

  test('a figure that the comparison could not compute keeps its own reason', () => {
    const all = sampleInput()
    const input = withManifest(all, candidate(all, 'rfa').compare, (manifest) => ({
      ...manifest,
      metrics: { ...manifest.metrics, mia: { missing: 'the set is empty' } },
    }))
    expect(figures(input).rfa?.mia).toEqual({ missing: 'the set is empty' })
  })
})

describe('the lowest gap', () => {
  test('is that of an approximate method: neither gold nor the original counts', () => {
    expect(lowestGap(results(sampleInput()))?.label).toBe('rfa')
    const original = { fa: 0, mia: 100, ta: 97.08 }
    expect(lowestGap(results(sampleInput({ models: { original } })))?.label).toBe('rfa')
    const finetune = { ra: 100, fa: 0, ta: 97.08, mia: 100 }
    expect(lowestGap(results(sampleInput({ models: { finetune } })))?.label).toBe('finetune')
  })

  test('is none where no method has a gap', () => {
    const rows = results(sampleInput()).filter(({ method }) => method === 'original' || method === 'retrain')
    expect(lowestGap(rows)).toBeUndefined()
  })
})

describe('test samples of forgotten classes', () => {
  test('every row has its accuracy on them, or the reason why not', () => {
    const all = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(all, 'rfa')
    const input = withoutStages(all, [unlearn, evaluate, attack, compare], [])
    const byLabel = Object.fromEntries(forgottenTest(input).map(({ label, accuracy }) => [label, accuracy]))
    expect(Object.keys(byLabel)).toEqual(results(input).map(({ label }) => label))
    const manifest = input.manifests[candidate(all, 'original').evaluate?.key ?? '']
    expect(byLabel.original).toEqual(manifest?.kind === 'evaluate' && manifest.metrics.accuracy.forgottenTest)
    expect(byLabel.rfa).toHaveProperty('missing')
  })

  test('a random split forgets no whole class', () => {
    expect(forgottenTest(sampleInput({ split: { kind: 'random', fraction: 0.1 } }))).toEqual([])
  })
})

describe('the gap without MIA', () => {
  test('is the mean difference of UA, RA and TA to the gold of the same seed, whatever MIA says', () => {
    const of = (mia: number) => figures(sampleInput({ models: { finetune: { mia } } })).finetune
    // RA 99.21 to 100, UA 35.48 to 100, TA 95.83 to 97.08.
    const expected = { value: expect.closeTo((0.79 + 64.52 + 1.25) / 3, 10) as number }
    expect(of(46.77)?.gapWithoutMia).toEqual(expected)
    expect(of(0)?.gapWithoutMia).toEqual(expected)
    expect(of(0)?.averageGap).not.toEqual(of(46.77)?.averageGap)
    expect(figures(sampleInput()).retrain?.gapWithoutMia).toEqual({ value: 0 })
  })

  test('is missing, with whose figure is, where gold has none', () => {
    const all = sampleInput({ methodsOnly: true })
    const { reference } = all.run.plan
    const failed = [{ title: reference?.evaluate.title ?? '', reason: 'evicted' }]
    const measured = figures(withoutStages(all, [reference?.evaluate], failed)).finetune?.gapWithoutMia
    expect(measured).toMatchObject({ missing: expect.stringMatching(/^gold: .*evicted/) as string })
  })
})
