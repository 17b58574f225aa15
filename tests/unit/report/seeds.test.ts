import { describe, expect, test } from 'vitest'
import { ranges, type Figure, type MetricName } from '../../../experiment/records/results.ts'
import { rowsOf, seedsOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import { judge, withStandings } from '../../../report/judgement/judge.ts'
import { checkOracle } from '../../../report/oracle.ts'
import { meanCurve, overSeeds } from '../../../report/over-seeds.ts'
import { renderReport, renderReportJson, type ReportInput } from '../../../report/report.ts'
import { floorGap, forgottenTest, goldFigures, results, resultsBySeed } from '../../../report/results.ts'
import { renderTable } from '../../../report/table.ts'
import { verdict } from '../../../report/verdict.ts'
import { sampleInput, withoutStages, withPopulations, type Options } from './fixtures.ts'

/** t₀.₉₇₅ of 2 and of 1 degrees of freedom. */
const [t2, t1] = [4.302652729749464, 12.706204736174698]

/** Three seeds: rfa's RA is 98, 99 and 100, and gold's TA is 97, 96 and 98. */
const threeSeeds: NonNullable<Options['seeds']> = [
  { rfa: { ra: 98 }, retrain: { ta: 97 } },
  { rfa: { ra: 99 }, retrain: { ta: 96 } },
  { rfa: { ra: 100 }, retrain: { ta: 98 } },
]
const three = (options: Options = {}) => sampleInput({ seeds: threeSeeds, ...options })

const verdictOf = (input: ReportInput) => verdict(input, results(input), judge(input))

const figureOf = (input: ReportInput, label: string, name: MetricName): Figure => {
  const row = results(input).find((one) => one.label === label)
  if (!row) throw new Error(`no row is called ${label}`)
  return row.metrics[name]
}

/** Without what one seed's method would have left. */
function withoutMethod(input: ReportInput, seed: number, label: string, reason: string): ReportInput {
  const lost = seedsOf(input.run.plan)[seed]?.candidates.find((one) => one.label === label)
  const stages = [lost?.unlearn, lost?.evaluate, lost?.attack, lost?.compare]
  return withoutStages(input, stages, [{ title: lost?.unlearn?.title ?? '', reason }])
}

/** Without anything that needs one seed's gold. */
function withoutGold(input: ReportInput, seed: number): ReportInput {
  const one = seedsOf(input.run.plan)[seed]
  const judged = one
    ? rowsOf(one).flatMap(({ evaluate, attack, compare }) => [evaluate, attack, compare])
    : []
  const stages: (Stage | undefined)[] = [
    one?.gold[0],
    one?.reference?.evaluate,
    one?.reference?.attack,
    ...judged,
  ]
  return withoutStages(input, stages, [{ title: one?.gold[0]?.title ?? '', reason: 'evicted' }])
}

const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ')

describe('a figure over seeds', () => {
  test('is the mean with its 95% interval and n', () => {
    const { value, interval, ...rest } = figureOf(three(), 'retrain', 'ta') as Figure & {
      interval: number
      value: number
    }
    expect(value).toBe(97)
    expect(interval).toBeCloseTo(t2 / Math.sqrt(3), 8)
    expect(rest).toEqual({ n: 3 })
  })

  test('has both ends of its interval where a symmetric one would leave its range', () => {
    // 98, 99 and 100%: log odds of 4.595 ± 2.484 · 100/(1 · 99).
    expect(figureOf(three(), 'rfa', 'ra')).toEqual({
      value: 99,
      n: 3,
      between: [expect.closeTo(88.95, 1) as number, expect.closeTo(99.92, 1) as number],
    })
    // Without an upper bound, on the scale of logarithms: 2 · exp(± t · 1/2).
    expect(overSeeds([{ value: 1 }, { value: 3 }], ranges.positive)).toEqual({
      value: 2,
      n: 2,
      between: [expect.closeTo(2 * Math.exp(-t1 / 2), 8), expect.closeTo(2 * Math.exp(t1 / 2), 8)] as unknown,
    })
    expect(overSeeds([{ value: 100 }, { value: 100 }], ranges.percent)).toEqual({
      value: 100,
      interval: 0,
      n: 2,
    })
  })

  test('of a single seed is that seed’s, with nothing beside it', () => {
    expect(figureOf(sampleInput(), 'rfa', 'ra')).toEqual({ value: 99.82 })
    expect(overSeeds([{ missing: 'why' }])).toEqual({ missing: 'why' })
  })

  test('where all seeds agree has an interval of 0', () => {
    expect(figureOf(three(), 'rfa', 'ua')).toEqual({ value: 100, interval: 0, n: 3 })
  })

  test('leaves out the seeds that have none, and says which and why', () => {
    expect(overSeeds([{ value: 1 }, { missing: 'no members' }, { value: 3 }])).toEqual({
      value: 2,
      interval: expect.closeTo(t1, 8) as number,
      n: 2,
      leftOut: [{ seed: 2, reason: 'no members' }],
    })
    expect(overSeeds([{ missing: 'a' }, { value: 3 }])).toEqual({
      value: 3,
      n: 1,
      leftOut: [{ seed: 1, reason: 'a' }],
    })
  })

  test('is missing where no seed has it, each reason once', () => {
    expect(overSeeds([{ missing: 'a' }, { missing: 'b' }, { missing: 'a' }])).toEqual({ missing: 'a; b' })
  })
})

describe('results over seeds', () => {
  test('compare each seed with its own gold, and average then', () => {
    const [first, second, third] = resultsBySeed(three()).map(
      (rows) => rows.find(({ label }) => label === 'rfa')?.metrics.averageGap,
    )
    // UA and MIA agree with gold, and TA is 96.25.
    const gaps = [(2 + 0.75) / 4, (1 + 0.25) / 4, (0 + 1.75) / 4]
    for (const [i, gap] of [first, second, third].entries())
      expect(gap).toEqual({ value: expect.closeTo(gaps[i] ?? NaN, 10) as number })
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / 3
    expect(figureOf(three(), 'rfa', 'averageGap')).toMatchObject({
      value: expect.closeTo(mean, 10) as number,
      n: 3,
    })
    // The gap of the mean figures.
    expect(mean).not.toBeCloseTo((1 + 0.75) / 4, 2)
  })

  test('have a row for each method, and one for the further gold models of all seeds', () => {
    expect(results(three()).map(({ label }) => label)).toEqual([
      'original',
      'retrain',
      'finetune',
      'rfa',
      'rfa mean',
      'retrain, gold 2',
    ])
  })

  test('have the floor from one pair of gold models a seed', () => {
    const pairs = [[97], [96], [98]].map(([ta = 0]) => (0.09 + 0 + Math.abs(96.25 - ta) + 1.61) / 4)
    const mean = pairs.reduce((sum, gap) => sum + gap, 0) / 3
    expect(floorGap(three())).toMatchObject({ value: expect.closeTo(mean, 10) as number, n: 3 })
    expect(verdictOf(three()).details.join(' ')).toMatch(/apart by the average gap \(mean of 3 pairs\)/)
  })

  test('have mean figures of gold, and of the test samples of forgotten classes', () => {
    expect(goldFigures(three()).ta).toEqual({
      value: 97,
      interval: expect.closeTo(t2 / Math.sqrt(3), 8) as number,
      n: 3,
    })
    const forgotten = forgottenTest(three({ seeds: [{}, { rfa: { fa: 3 } }, {}] }))
    expect(forgotten.find(({ label }) => label === 'rfa')?.accuracy).toMatchObject({ value: 1, n: 3 })
  })

  test('stand without a seed whose method failed: n says so', () => {
    const input = withoutMethod(three(), 1, 'rfa', 'the loss is not finite')
    expect(figureOf(input, 'rfa', 'ra')).toEqual({
      value: 99,
      between: [expect.closeTo(0.026, 3) as number, expect.closeTo(100, 3) as number],
      n: 2,
      leftOut: [{ seed: 2, reason: 'unlearn by rfa, seed 2 failed: the loss is not finite' }],
    })
    expect(figureOf(input, 'finetune', 'ra')).toMatchObject({ n: 3 })
  })

  test('stand without a seed that lost its gold', () => {
    const input = withoutGold(three(), 2)
    expect(figureOf(input, 'rfa', 'averageGap')).toMatchObject({ n: 2, leftOut: [{ seed: 3 }] })
    expect(goldFigures(input).ta).toMatchObject({ value: 96.5, n: 2 })
    expect(checkOracle(input)).toMatchObject({
      passed: true,
      message: expect.stringContaining('n = 2 seeds') as string,
    })
  })

  test('give the cost as a share with its interval in the same unit', () => {
    const input = three({
      seeds: [3, 4, 5].map((seconds, i) => ({ rfa: { ra: 98 + i, seconds }, retrain: { ta: 97 } })),
    })
    expect(figureOf(input, 'rfa', 'rte')).toMatchObject({
      value: expect.closeTo(0.2, 10) as number,
      interval: expect.closeTo((t2 * 0.05) / Math.sqrt(3), 8) as number,
    })
    expect(verdictOf(input).details.join(' ')).toContain('rfa took 20.0 ± 12.4% of the time of retraining')
  })
})

describe('the oracle check over seeds', () => {
  test('fails where one of the gold models knows a forgotten class', () => {
    expect(checkOracle(three()).passed).toBe(true)
    const { passed, message } = checkOracle(three({ seeds: [{}, { retrain: { fa: 3 } }, {}] }))
    expect(passed).toBe(false)
    expect(message).toContain('FA of gold (mean of n = 3 seeds) is 1.00%')
  })

  test('of a random split asks whether the means agree', () => {
    const split = { kind: 'random', fraction: 0.1 } as const
    const seeds = (...fas: readonly number[]) => fas.map((fa) => ({ retrain: { fa, ta: 96 } }))
    expect(checkOracle(sampleInput({ split, seeds: seeds(95, 96, 97) })).passed).toBe(true)
    expect(checkOracle(sampleInput({ split, seeds: seeds(99.9, 100, 100) })).passed).toBe(false)
  })
})

describe('the report of several seeds', () => {
  const notice = "n = 3 seeds, 95% intervals (Student's t)"

  test('shows means with intervals, and says of how many seeds', async () => {
    const { html, markdown } = await renderReport(three())
    expect(markdown).toContain(notice)
    expect(textOf(html)).toContain(`forgetting the class “3”; ${notice}`)
    expect(markdown).toMatch(
      /^\| \*\*rfa\*\* \| 99\.00 \(88\.95 – 99\.92\) \(−1\.00\) \| 100\.00 ± 0\.00 \(0\.00\) /m,
    )
    const table = html.slice(html.indexOf('aria-label="Results"'))
    const row = /<th scope="row">rfa<.*?<\/tr>/s.exec(table)?.[0] ?? ''
    expect(textOf(row)).toContain('99.00 (88.95 – 99.92) −1.00 100.00 ± 0.00 0.00')
    expect(textOf(html)).toMatch(/seed 2: original 2; gold 1002, 2002; unlearning 2/)
    expect(html).not.toMatch(/NaN|Infinity|undefined/)
    expect(markdown).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('has a footnote for the seeds that are left out', async () => {
    const input = withoutMethod(three(), 1, 'rfa', 'the loss is not finite')
    const words = 'n = 2, without seed 2 (unlearn by rfa, seed 2 failed: the loss is not finite)'
    const { html, markdown } = await renderReport(input)
    expect(textOf(html)).toContain(words)
    expect(markdown).toMatch(/\| rfa \| 99\.00 \(0\.03 – 100\.00\) \(−1\.00\)\[\^\d+\]/)
    expect(markdown).toMatch(/^\[\^\d+\]: n = 2, without seed 2 /m)
    expect(markdown).toContain(`: ${words}`)
    expect(renderTable(results(input), { colour: false }).replace(/\s+/g, ' ')).toContain(`rfa: ${words}`)
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('has each seed’s rows in its JSON, and another digest when one of them differs', async () => {
    interface Json {
      readonly computed: { readonly seeds: readonly (readonly { readonly label: string }[])[] }
    }
    const { json, digest } = await renderReport(three())
    const { seeds } = (JSON.parse(json) as Json).computed
    expect(seeds.map((rows) => rows.map(({ label }) => label))).toEqual(
      resultsBySeed(three()).map((rows) => rows.map(({ label }) => label)),
    )
    // 98 and 100 change places: the means stay.
    const swapped = three({
      seeds: [
        { rfa: { ra: 100 }, retrain: { ta: 97 } },
        ...threeSeeds.slice(1, 2),
        { rfa: { ra: 98 }, retrain: { ta: 98 } },
      ],
    })
    expect((await renderReport(swapped)).digest).not.toBe(digest)
    const { computed } = JSON.parse((await renderReport(sampleInput())).json) as { computed: object }
    expect(computed).not.toHaveProperty('seeds')
  })

  test('has the same JSON with its pages and without, the standing of each method included', async () => {
    const { json } = await renderReport(three())
    expect(renderReportJson(three())).toBe(json)
    expect(json).toContain('"standing"')
  })

  test('draws the interval of each gap, which a single seed has not', async () => {
    const rules = (html: string) => html.match(/mark-rule/g)?.length ?? 0
    const [one, several] = [await renderReport(sampleInput()), await renderReport(three())]
    expect(rules(several.html)).toBeGreaterThan(rules(one.html))
    expect(textOf(several.html)).toContain('Bars are the 95% intervals of the gaps.')
    expect(textOf(several.html)).toContain('Lines are means over the seeds.')
    expect(textOf(one.html)).not.toMatch(/intervals of the gaps|means over the seeds/)
  })

  test('stands with no manifest at all', async () => {
    const { html, markdown } = await renderReport({ ...three(), manifests: {} })
    const words = 'No method was tested against gold: no criterion of forgetting has a figure in every seed.'
    expect(textOf(html)).toContain(words)
    expect(markdown).toContain(words)
  })
})

describe('the terminal table of several seeds', () => {
  const text = renderTable(withStandings(results(three()), judge(three())), { colour: false })

  test('has the interval below each figure, within 100 columns', () => {
    const lines = text.split('\n')
    const at = lines.findIndex((line) => line.startsWith('rfa ?'))
    expect(lines[at]).toMatch(/^rfa \?\* +99\.00 +100\.00/)
    expect(lines[at + 1]).toMatch(/^ +88\.95 – +± 0\.00/)
    expect(lines[at + 2]).toMatch(/^ +99\.92/)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('says of how many seeds, and names the floor', () => {
    expect(text).toContain("n = 3 seeds, 95% intervals (Student's t)")
    expect(text).toMatch(/^floor: retrain, gold 2 /m)
  })
})

test('a curve over seeds is the mean loss at each step', () => {
  const curve = (...losses: readonly number[]) =>
    losses.map((loss, i) => ({ step: i + 1, loss, learningRate: 0.1 }))
  expect(meanCurve([curve(4, 2), curve(2, 1)])).toEqual(curve(3, 1.5))
  expect(meanCurve([curve(4, 2)])).toEqual(curve(4, 2))
  expect(meanCurve([])).toEqual([])
})

describe('populations', () => {
  test('of 64 seeds have every figure', async () => {
    const input = sampleInput({ seeds: Array.from({ length: 64 }, () => ({})), gold: 1 })
    const { html, json } = await renderReport(input)
    expect(textOf(html)).toContain("Each method's 64 models against the 64 gold models")
    const { computed } = JSON.parse(json) as { readonly computed: { readonly population: unknown } }
    expect(JSON.stringify(computed.population)).not.toContain('missing')
    // The page has no table that grows with the number of seeds, except the list of stages.
    expect(html.length).toBeLessThan(2 ** 21)
  })

  test('have figures where there are enough models for them; what is missing has its reason', async () => {
    const whole = await renderReport(withPopulations(three(), 64))
    expect(textOf(whole.html)).toContain('Populations Each method')
    expect(textOf(whole.html)).toContain('62.50 (48.25 – 76.75)')
    expect(whole.markdown).toMatch(/^\| rfa \| 62\.50 \(48\.25 – 76\.75\) \| 0\.500 \([\d.]+\) \|/m)
    expect(JSON.parse(whole.json)).toMatchObject({
      computed: {
        population: expect.arrayContaining([
          expect.objectContaining({ label: 'rfa', models: 64 }),
        ]) as unknown,
      },
    })

    const input = withPopulations(three(), 64)
    const lost = input.run.plan.population?.find(({ label }) => label === 'rfa')?.stage
    const partly = await renderReport(
      withoutStages(input, [lost], [{ title: lost?.title ?? '', reason: 'no room' }]),
    )
    expect(partly.markdown).toMatch(/^\| rfa \| n\/a\[\^\d+\] \| n\/a/m)
    expect(partly.markdown).toContain('population rfa failed: no room')
    expect((await renderReport(sampleInput())).html).not.toContain('Populations')
  })

  test('of too few models say how many are needed', async () => {
    const { html, markdown, json } = await renderReport(three())
    for (const text of [textOf(html), markdown, json]) {
      expect(text).toContain('KLoM needs 64 models of each kind; there are 3')
      expect(text).toContain('U-LiRA needs 8 models of each kind; there are 3')
      expect(text).toContain('Forgetting quality needs 32 models of each kind; there are 3')
      expect(text).not.toContain('U-LiRA measures less')
    }
  })

  test('say what U-LiRA measures with so many models, and how KLoM differs from published ones', async () => {
    const eight = await renderReport(withPopulations(three(), 8))
    for (const text of [textOf(eight.html), eight.markdown]) {
      expect(text).toMatch(/With 8 models of each kind, U-LiRA measures less .* 82\.3% for 84%/)
      expect(text).not.toContain('KLoM has the 20 edges')
    }
    expect((await renderReport(withPopulations(three(), 64))).markdown).toContain('KLoM has the 20 edges')
  })
})
