import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expired, type Retention } from '../../../../artifacts/removal/retention.ts'
import type { StoredRun, StoredSweep } from '../../../../artifacts/removal/stored-runs.ts'
import { UserError } from '../../../../common/errors.ts'

const run = (id: string, date: number, more: Partial<StoredRun> = {}): StoredRun => ({
  ...{ id, date, name: id, written: date, objects: [], stages: new Set<string>(), isOwn: false },
  attachments: new Set<string>(),
  ...{ heartbeatSeconds: 30, ...more },
})
const sweep = (id: string, date: number, runs: readonly string[] | undefined): StoredSweep => ({
  ...{ id, date, name: id, written: date, objects: [] },
  runs: runs && new Set(runs),
})
const library = (runs: readonly StoredRun[], sweeps: readonly StoredSweep[] = []) => ({
  runs: new Map(runs.map((one) => [one.id, one])),
  sweeps: new Map(sweeps.map((one) => [one.id, one])),
})
const nobody = () => false
const gone = (found: ReturnType<typeof expired>) => ({
  units: found.units.map(({ id }) => id),
  runs: [...found.runs].sort(),
})

const five = library([1, 2, 3, 4, 5].map((day) => run(`day-${day}`, day)))

test.each<[Retention, readonly number[]]>([
  [{ last: 2 }, [3, 2, 1]],
  [{ within: 1 }, [3, 2, 1]],
  [{ within: 3 }, [1]],
  [{ last: 4, within: 1 }, [1]],
  [{ last: 1, within: 3 }, [1]],
  [{ last: 9 }, []],
  [{ within: 9 }, []],
])('of runs of five days, %j takes those of the days %j', (retention, days) => {
  const ids = days.map((day) => `day-${day}`)
  expect(gone(expired(five, retention, nobody))).toEqual({ units: ids, runs: [...ids].sort() })
})

describe('a sweep', () => {
  const cells = [run('cell-1', 1), run('cell-2', 2, { isOwn: true }), run('cell-3', 9)]

  test('counts as one with its cells, and is as young as the youngest of them', () => {
    const of = library([...cells, run('single', 5)], [sweep('sweep', 3, ['cell-1', 'cell-3'])])
    expect(gone(expired(of, { last: 1 }, nobody))).toEqual({
      units: ['single', 'cell-2'],
      runs: ['cell-2', 'single'],
    })
  })

  test('takes its cells along, except those that another sweep has or that are young runs of their own', () => {
    const of = library(
      [run('cell-1', 1), run('cell-2', 8, { isOwn: true }), run('cell-3', 2), run('single', 9)],
      [sweep('old', 3, ['cell-1', 'cell-2', 'cell-3']), sweep('young', 7, ['cell-3'])],
    )
    // The old one is as young as its youngest cell, which stays as a run of its own.
    expect(gone(expired(of, { last: 2 }, nobody))).toEqual({
      units: ['old', 'young'],
      runs: ['cell-1', 'cell-3'],
    })
    expect(gone(expired(of, { last: 1 }, (id) => id === 'young'))).toEqual({
      units: ['cell-2', 'old'],
      runs: ['cell-1', 'cell-2'],
    })
  })

  test('that stays keeps its cells, also those that are old runs of their own', () => {
    const of = library([...cells, run('single', 8)], [sweep('sweep', 3, ['cell-1', 'cell-2', 'cell-3'])])
    expect(gone(expired(of, { last: 1 }, nobody))).toEqual({ units: ['single'], runs: ['single'] })
  })

  test('whose cells are unknown stops everything', () => {
    const of = library([run('single', 5)], [sweep('lost', 3, undefined)])
    expect(() => expired(of, { last: 1 }, nobody)).toThrow(UserError)
    expect(() => expired(of, { last: 1 }, nobody)).toThrow(/sweeps\/lost\/sweep\.json .*zeroshift rm lost/)
  })
})

test('what is computed stays, and so does a run without a record', () => {
  const of = library([
    run('busy', 1),
    run('damaged', 2, { flaw: 'it is missing' }),
    run('old', 3),
    run('new', 4),
  ])
  expect(gone(expired(of, { last: 1 }, (id) => id === 'busy'))).toEqual({ units: ['old'], runs: ['old'] })
})

test('whatever is there: a run goes only where no rule keeps it, and every unit that stays keeps its runs', () => {
  const index = fc.integer({ min: 0, max: 9 })
  const libraries = fc.record({
    dates: fc.array(fc.record({ date: fc.nat(20), isOwn: fc.boolean() }), { minLength: 1, maxLength: 10 }),
    sweeps: fc.array(fc.record({ date: fc.nat(20), cells: fc.uniqueArray(index) }), { maxLength: 3 }),
    last: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    within: fc.option(fc.nat(20), { nil: undefined }),
  })
  fc.assert(
    fc.property(libraries, ({ dates, sweeps, last, within }) => {
      const of = library(
        dates.map(({ date, isOwn }, i) => run(`run-${i}`, date, { isOwn })),
        sweeps.map(({ date, cells }, i) =>
          sweep(
            `sweep-${i}`,
            date,
            cells.map((cell) => `run-${cell}`),
          ),
        ),
      )
      const retention = { ...(last !== undefined && { last }), ...(within !== undefined && { within }) }
      const { units, runs } = expired(of, retention, nobody)
      const unitIds = new Set(units.map(({ id }) => id))
      const stays = [...of.sweeps.values()].filter(({ id }) => !unitIds.has(id))
      for (const { runs: cells } of stays) for (const cell of cells ?? []) expect(runs).not.toContain(cell)
      const newest = Math.max(
        ...[...of.runs.values()].map(({ date }) => date),
        ...sweeps.map(({ date }) => date),
      )
      for (const id of runs) {
        const date = of.runs.get(id)?.date ?? 0
        if (within !== undefined) expect(date).toBeLessThan(newest - within)
        const isSingle = [...of.sweeps.values()].every((one) => !one.runs?.has(id))
        if (isSingle || of.runs.get(id)?.isOwn) expect(unitIds).toContain(id)
      }
      const all =
        of.sweeps.size +
        [...of.runs.values()].filter(
          ({ id, isOwn }) => isOwn || ![...of.sweeps.values()].some((one) => one.runs?.has(id)),
        ).length
      if (last !== undefined) expect(units.length).toBeLessThanOrEqual(Math.max(0, all - last))
      for (const unit of units) for (const id of unit.runs) expect(runs).toContain(id)
    }),
    { numRuns: 500 },
  )
})
