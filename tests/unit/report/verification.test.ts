import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../common/canonical.ts'
import { UserError } from '../../../common/errors.ts'
import type { Environment, Manifest } from '../../../experiment/records/manifest.ts'
import type { Figure } from '../../../experiment/records/results.ts'
import { renderJson } from '../../../report/json.ts'
import { judge } from '../../../report/judgement/judge.ts'
import { plannedAgain, readPublished, type Published } from '../../../report/published.ts'
import type { ReportInput } from '../../../report/report.ts'
import { results } from '../../../report/results.ts'
import { compareWithReport } from '../../../report/verification.ts'
import { candidate, sampleInput, withoutStages, type Options } from './fixtures.ts'

const jsonOf = (input: ReportInput) => renderJson(input, results(input), judge(input)).json
const published = (input: ReportInput) => readPublished(jsonOf(input), 'report.json')

/** Gives stages with other figures other blobs. Fixtures derive blobs from stage keys alone. */
function written(input: ReportInput): ReportInput {
  return changed(input, (manifest) => ({
    ...manifest,
    outputs: { result: { sha256: digestOf(manifest.metrics), bytes: 1024 } },
  }))
}

function on(input: ReportInput, environment: Partial<Environment>): ReportInput {
  return changed(input, ({ clock, ...manifest }) => {
    const changed = { ...clock.environment, ...environment }
    return { ...manifest, clock: { ...clock, environment: changed } }
  })
}

function changed(input: ReportInput, change: (manifest: Manifest) => object): ReportInput {
  const manifests = Object.entries(input.manifests).map(([key, manifest]) => [key, change(manifest)])
  return { ...input, manifests: Object.fromEntries(manifests) as ReportInput['manifests'] }
}

const sample = (options: Options = {}) => written(sampleInput(options))
const tensorflow = (threads: number) => ({
  tensorflow: { version: '2.21.0', device: 'CPU' as const, threads },
})

/** The recorded report edited, with a digest that is right for it. */
function edited(report: Published, edit: (computed: Published['computed']) => void): Published {
  const copy = structuredClone(report)
  edit(copy.computed)
  return { ...copy, digest: digestOf(copy.computed) }
}

describe('a run that was computed again', () => {
  test.each([{}, { gold: 1 }, { seeds: [{}, {}, {}] }, { shadows: 8, features: true }])(
    'to the same bytes is the same, wherever that was: %j',
    (options) => {
      const here = published(on(sample(options), { ...tensorflow(8), node: 'v24.0.0' }))
      const verification = compareWithReport(published(sample(options)), here)
      expect(verification.verdict).toBe('same')
      const { same, of } = verification.blobs ?? { same: 0, of: -1 }
      expect(of).toBe(Object.keys(sample(options).manifests).length)
      expect(same).toBe(of)
      expect(verification.stages.every((stage) => stage.same)).toBe(true)
      expect(verification.environment.map(({ name }) => name)).toEqual(['threads', 'Node'])
    },
  )

  test('names the stages and blobs that differ, and no others', () => {
    const here = published(sample({ models: { rfa: { ta: 90 } } }))
    const { stages, blobs } = compareWithReport(published(sample()), here)
    const different = stages.filter(({ same }) => !same)
    expect(different.map(({ title }) => title)).toEqual(['evaluate rfa', 'compare rfa'])
    for (const { recorded, here, blobs } of different) {
      expect(recorded).not.toBe(here)
      expect(blobs).toMatchObject([{ name: 'result', same: false }])
    }
    expect(blobs).toEqual({ same: stages.length - 2, of: stages.length })
  })

  test('to other bytes on the same device with the same threads fails, however near the figures are', () => {
    const near = sample({ models: { rfa: { ta: 96.2500001 } } })
    for (const environment of [{}, { node: 'v24.0.0' }, { zeroshift: '0.2.0' }])
      expect(compareWithReport(published(sample()), published(on(near, environment))).verdict).toBe('differs')
  })

  test.each<[string, Partial<Environment>]>([
    ['threads', tensorflow(4)],
    ['TensorFlow', { tensorflow: { version: '2.22.0', device: 'CPU', threads: 2 } }],
    ['device', { tensorflow: { version: '2.21.0', device: 'GPU', threads: 2 } }],
    ['platform', { platform: 'linux-arm64' }],
  ])('on another %s is judged by the floor', (name, environment) => {
    const near = compareWithReport(
      published(sample()),
      published(on(sample({ models: { rfa: { ta: 96.3 } } }), environment)),
    )
    expect(near.environment.map((one) => one.name)).toEqual([name])
    expect(near.verdict).toBe('within-floor')
    const far = published(on(sample({ models: { rfa: { ta: 50 } } }), environment))
    expect(compareWithReport(published(sample()), far).verdict).toBe('beyond-floor')
  })

  test('with or without oneDNN is judged by the floor, unless the report does not say', () => {
    const { tensorflow: same } = tensorflow(2)
    const run = (oneDnn?: boolean) =>
      published(on(sample(), { tensorflow: { ...same, ...(oneDnn !== undefined && { oneDnn }) } }))
    const between = (one: boolean | undefined, other: boolean) =>
      compareWithReport(run(one), run(other)).environment.map(({ name }) => name)
    expect(between(true, false)).toEqual(['oneDNN'])
    expect(between(true, true)).toEqual([])
    expect(between(undefined, true)).toEqual([])
  })

  test('on another processor is judged by the floor, unless the report does not say its own', () => {
    const recorded = (processor?: string) => published(processor ? on(sample(), { processor }) : sample())
    const here = published(on(sample({ models: { rfa: { ta: 96.3 } } }), { processor: 'one' }))
    expect(compareWithReport(recorded('other'), here).verdict).toBe('within-floor')
    expect(compareWithReport(recorded('one'), here).verdict).toBe('differs')
    expect(compareWithReport(recorded(), here).verdict).toBe('differs')
  })

  test('is within the floor exactly where every row is: the mean of its four differences is at most the floor', () => {
    const base = { ra: 90, fa: 10, ta: 90, mia: 50 }
    const recorded = published(sample({ models: { rfa: base } }))
    const { floor } = recorded.computed
    if (!('value' in floor)) throw new Error('expected a floor')
    const near = fc.integer({ min: -200, max: 200 }).map((percent) => (floor.value * percent) / 100)
    const verdicts = new Set<string>()
    fc.assert(
      fc.property(near, near, near, near, (ra, fa, ta, mia) => {
        const rfa = { ra: base.ra + ra, fa: base.fa + fa, ta: base.ta + ta, mia: base.mia + mia }
        const here = published(on(sample({ models: { rfa } }), tensorflow(4)))
        const { verdict, rows } = compareWithReport(recorded, here)
        const mean = [ra, fa, ta, mia].reduce((sum, gap) => sum + Math.abs(gap), 0) / 4
        fc.pre(Math.abs(mean - floor.value) > 1e-9 && mean > 1e-9)
        expect(verdict).toBe(mean <= floor.value ? 'within-floor' : 'beyond-floor')
        expect(rows.find(({ label }) => label === 'rfa')).toMatchObject({
          mean: { value: expect.closeTo(mean, 10) as number },
          within: mean <= floor.value,
        })
        verdicts.add(verdict)
      }),
      { numRuns: 50 },
    )
    expect(verdicts.size).toBe(2)
  })

  test('is judged by the floor that was computed, whatever the report says of it, of its bytes and of its device', () => {
    const here = published(sample())
    const forged = (ua: number, floor: Figure) => {
      const report = edited(published(on(sample(), { processor: 'another' })), (computed) => {
        for (const stage of computed.stages) stage.digest = '0'.repeat(64)
        const row = computed.results.find(({ label }) => label === 'rfa')
        if (row) Object.assign(row.metrics, { ua: { value: ua } })
        Object.assign(computed, { floor })
      })
      return compareWithReport(report, published(on(sample(), { processor: 'this one' })))
    }
    const { floor } = here.computed
    if (!('value' in floor)) throw new Error('expected a floor')
    expect(forged(80, { value: 100 })).toMatchObject({
      verdict: 'beyond-floor',
      floor: { recorded: { value: 100 }, here: floor, same: false, within: false },
    })
    // A row beyond the computed floor and a floor that gold does not give are separate findings.
    expect(forged(80, floor)).toMatchObject({ verdict: 'beyond-floor', floor: { same: true, within: true } })
    expect(forged(100, { value: 100 })).toMatchObject({ verdict: 'beyond-floor' })
    expect(forged(100, { missing: 'none' })).toMatchObject({
      verdict: 'beyond-floor',
      floor: { same: false, within: false },
    })
    expect(forged(100, { value: 1.5 * floor.value })).toMatchObject({
      verdict: 'within-floor',
      floor: { same: false, within: true },
    })
  })

  test.each(['a method of nobody', 'rfa'])('does not vouch for a further row: %s', (label) => {
    const recorded = edited(published(sample()), ({ results }) => {
      results.push({ label, metrics: { ra: { value: 100 } } })
    })
    const here = published(on(sample({ models: { rfa: { ta: 96.3 } } }), tensorflow(4)))
    const { verdict, rows } = compareWithReport(recorded, here)
    expect(verdict).toBe('beyond-floor')
    expect(rows.at(-1)).toMatchObject({ label, within: false })
    expect(compareWithReport(recorded, published(sample())).verdict).toBe('contradictory')
  })

  test('without a floor has no verdict', () => {
    const here = published(on(sample({ gold: 1, models: { rfa: { ta: 96.3 } } }), tensorflow(4)))
    const { verdict, rows } = compareWithReport(published(sample({ gold: 1 })), here)
    expect(verdict).toBe('unjudged')
    expect(rows.every(({ within }) => within === undefined)).toBe(true)
  })

  test('that lost a figure is beyond the floor; one that was missing before says nothing', () => {
    const without = (input: ReportInput) => {
      const { evaluate, attack, compare } = candidate(input, 'rfa')
      return withoutStages(input, [evaluate, attack, compare], [])
    }
    const moved = on(sample({ models: { finetune: { ta: 95.84 } } }), tensorflow(4))
    const lost = compareWithReport(published(sample()), published(without(moved)))
    expect(lost.verdict).toBe('beyond-floor')
    expect(lost.rows.find(({ label }) => label === 'rfa')).toMatchObject({
      differences: { ra: { missing: 'it could not be computed here' } },
      within: false,
    })
    const neither = compareWithReport(published(without(sample())), published(without(moved)))
    expect(neither.verdict).toBe('within-floor')
    expect(neither.rows.find(({ label }) => label === 'rfa')?.within).toBeUndefined()
    expect(compareWithReport(published(without(sample())), published(without(sample()))).verdict).toBe('same')
  })
})

describe('a report that says of its stages what they do not', () => {
  const here = published(on(sample(), tensorflow(4)))

  test('contradicts itself where a blob is another', () => {
    const recorded = structuredClone(published(sample()))
    const [key = ''] = Object.keys(recorded.blobs ?? {})
    const changed = { ...recorded.blobs, [key]: { result: { sha256: 'cd'.repeat(32), bytes: 1024 } } }
    const { verdict, blobs, stages } = compareWithReport({ ...recorded, blobs: changed }, here)
    expect(verdict).toBe('contradictory')
    expect((blobs?.of ?? 0) - (blobs?.same ?? 0)).toBe(1)
    expect(stages.every(({ same }) => same)).toBe(true)
    expect(compareWithReport({ ...recorded, blobs: { ...recorded.blobs, [key]: {} } }, here).verdict).toBe(
      'contradictory',
    )
  })

  test('contradicts itself where a figure is another, and names it', () => {
    const recorded = edited(published(sample()), ({ results: [first] }) => {
      if (first) first.metrics.ta = { value: 99 }
    })
    const { verdict, figures } = compareWithReport(recorded, here)
    expect(verdict).toBe('contradictory')
    expect(figures).toEqual([{ path: 'results[0].metrics.ta.value', before: '99', after: '96.25' }])
  })

  test.each<[string, (computed: Published['computed']) => void]>([
    ['two rows have changed names', ({ results }) => results.forEach((row, i) => (row.label = `row ${i}`))],
    [
      'a verdict is another',
      (computed) => {
        computed.judgement = { ...(computed.judgement as object), amongBest: ['finetune'] }
      },
    ],
  ])('contradicts itself where %s', (_, edit) => {
    const many = { seeds: [{}, {}, {}] }
    const recorded = edited(published(sample(many)), edit)
    expect(compareWithReport(recorded, published(sample(many))).verdict).toBe('contradictory')
  })

  test('does not where only words differ, or where a later version says more', () => {
    const recorded = edited(published(sample({ features: true })), (computed) => {
      delete computed.probes
      computed.oracle = { ...(computed.oracle as object), message: 'in other words' }
    })
    expect(compareWithReport(recorded, published(sample({ features: true }))).verdict).toBe('same')
  })

  test('lists no blobs where it is of 0.1: the digests of its stages stand for them', () => {
    const { blobs: _, ...recorded } = published(sample())
    expect(compareWithReport(recorded, here)).toMatchObject({ verdict: 'same' })
    expect(compareWithReport(recorded, here).blobs).toBeUndefined()
  })
})

describe('a report is read', () => {
  const json = jsonOf(sample())
  const problem = (read: () => unknown) => {
    try {
      read()
    } catch (error) {
      if (error instanceof UserError) return error.message
      throw error
    }
    throw new Error('expected a UserError')
  }

  test('back to the run that it is of', () => {
    const { spec, facts, plan } = plannedAgain(readPublished(json, 'report.json'), 'report.json')
    const { run } = sample()
    expect({ spec, facts, plan }).toEqual({ spec: run.spec, facts: run.facts, plan: run.plan })
  })

  test('with the blobs of each stage that finished', () => {
    const { manifests } = sample()
    const { blobs } = readPublished(json, 'report.json')
    expect(blobs).toEqual(
      Object.fromEntries(Object.entries(manifests).map(([key, { outputs }]) => [key, outputs])),
    )
  })

  test('only where it is one', () => {
    expect(problem(() => readPublished('{', 'r.json'))).toMatch(/^r\.json: this is no whole JSON/)
    expect(problem(() => readPublished('{"runs": []}', 'r.json'))).toMatch(
      /^r\.json: this is not the report of a run: computed/,
    )
  })

  test('only where it was not changed: both digests are named', () => {
    const { digest } = readPublished(json, 'r.json')
    const message = problem(() => readPublished(json.replace(/"value": 96.25\b/, '"value": 97.25'), 'r.json'))
    expect(message).toContain(digest)
    expect(message.match(/[0-9a-f]{64}/g)).toHaveLength(2)
  })

  test('only where its stages are those of this version', () => {
    const recorded = published(sample())
    const older = edited(recorded, ({ stages }) => {
      for (const stage of stages)
        if (stage.kind !== 'dataset' && stage.kind !== 'split') stage.key = digestOf(stage.key)
    })
    expect(problem(() => plannedAgain(older, 'r.json'))).toMatch(
      /another version of Zeroshift: its stage "train original" has the key [0-9a-f]{12}, and here, of version 1 of "train" stages, [0-9a-f]{12}\. .*0\.1\.0/,
    )
    const more = edited(recorded, ({ stages }) => {
      stages.push({ kind: 'extra', key: 'ab'.repeat(32), title: 'extra' })
    })
    expect(problem(() => plannedAgain(more, 'r.json'))).toMatch(/it has the stage "extra"/)
    const unknown = edited(recorded, (computed) => {
      computed.spec = { ...(computed.spec as object), name: '../elsewhere' }
    })
    expect(problem(() => plannedAgain(unknown, 'r.json'))).toMatch(/its spec is not one here: name/)
  })
})
