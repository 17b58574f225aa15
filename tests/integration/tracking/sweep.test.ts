import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { writeReport } from '../../../activities/report.ts'
import { writeSweepReport } from '../../../activities/sweep.ts'
import { trackStoredSweep, trackSweep } from '../../../activities/delivery/track-sweep.ts'
import { track, trackStored } from '../../../activities/delivery/track.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import type { SweepCounts } from '../../../cli/output/output.ts'
import { NO_GOLD } from '../../../experiment/records/no-gold.ts'
import type { RunEnd } from '../../../experiment/records/run.ts'
import type { SweepEnd, SweepRecord } from '../../../experiment/sweep/sweep.ts'
import type { ReportInput } from '../../../report/input.ts'
import { lowestGap, valueOf, results } from '../../../report/results.ts'
import { answerOf, zeroshift } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'
import { linked } from '../../support/linked.ts'
import { sharedMlflow } from '../../support/shared.ts'
import { tinyBase, writeSweep } from '../../support/tiny-sweep.ts'
import { cellInput, ranks, sampleSweep } from '../../unit/tracking/sweep-fixture.ts'
import { ask, deletedIn, holds, losing, type Held } from './holds.ts'

let url: string
beforeAll(async () => {
  url = await sharedMlflow()
})

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

const finished: RunEnd = { status: 'FINISHED', at: Date.UTC(2025, 10, 24, 12) }
const counts = { cells: 2, done: 2, cached: 0, incomplete: 0, stopped: 0, failed: 0 }
const sweepEnd: SweepEnd = { status: 'FINISHED', at: Date.UTC(2025, 10, 24, 13), counts }

let names = 0
/** A sweep with an MLflow experiment of its own, and the tracking of its cells. */
function fresh(change: Partial<SweepRecord> = {}) {
  const tracking = { uri: url, experiment: `sweep ${++names}` }
  return {
    sweep: sampleSweep({ tracking, ...change }),
    tracking,
    held: () => holds(url, tracking.experiment),
  }
}

/** The store as a run leaves it. */
async function keep({ run, manifests, failed }: ReportInput): Promise<void> {
  for (const manifest of linked(Object.values(manifests))) await artifacts.commit(manifest)
  await artifacts.putRun({ ...run, failed })
  await writeReport(artifacts, run, failed)
}

/** The store as a sweep leaves it. */
async function keepAll(sweep: SweepRecord): Promise<void> {
  for (const rank of ranks) await keep(cellInput(rank))
  await artifacts.putSweep(sweep)
  await writeSweepReport(artifacts, sweep.id, [])
}

const stored = async (sweep: SweepRecord): Promise<SweepRecord> => (await artifacts.sweep(sweep.id)) ?? sweep

const gapOf = (rank: number, label = 'rfa') => {
  const row = results(cellInput(rank)).find((one) => one.label === label)
  return row && valueOf(row.metrics.averageGap)
}

const named = (held: readonly Held[], name: string) => held.filter((one) => one.name === name)
const below = (held: readonly Held[], parent: Held | undefined) =>
  held.filter(({ tags }) => tags['mlflow.parentRunId'] === parent?.id)

/** Exactly one run of the sweep, one of each cell below it, and one of each method below each. */
function expectNested(held: readonly Held[], sweep: SweepRecord): void {
  const [top, ...others] = named(held, sweep.id)
  expect(others).toEqual([])
  expect(top?.tags).not.toHaveProperty('mlflow.parentRunId')
  const cells = ranks.map((rank) => cellInput(rank).run.id)
  expect(below(held, top).map(({ name }) => name)).toEqual([...cells].sort())
  for (const cell of below(held, top))
    expect(below(held, cell).map(({ name }) => name)).toEqual(['finetune', 'rfa'])
  expect(held).toHaveLength(1 + 2 + 4)
  for (const { tags } of held) expect(tags['zeroshift.sweep']).toBe(sweep.id)
}

test('two cells of two methods are one run, two below it and four below these, however often they are sent', async () => {
  const { sweep, tracking, held } = fresh()
  const deliver = async () => {
    await trackSweep(artifacts, { sweep: await stored(sweep) })
    for (const rank of ranks)
      await track(artifacts, { run: cellInput(rank).run, tracking, sweep: sweep.id, ended: finished })
    await trackSweep(artifacts, { sweep: await stored(sweep), ended: sweepEnd })
  }
  await keepAll(sweep)
  await deliver()
  const all = await held()
  expectNested(all, sweep)
  await deliver()
  expect(await held()).toEqual(all)

  const [top] = named(all, sweep.id)
  const figures = { ...counts, lowestAverageGap: gapOf(8) }
  expect(top).toMatchObject({
    status: 'FINISHED',
    end: sweepEnd.at,
    params: { base: 'digits.yaml', 'set.training.epochs': '5', 'sweep.rank': '[2,8]' },
    metrics: Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, [[0, value, sweepEnd.at]]]),
    ),
  })
  const at = new URL(top?.artifacts ?? '').pathname
  const report = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts${at}/report/results.csv`)
  const own = await artifacts.store.get(`sweeps/${sweep.id}/report/results.csv`)
  expect(await report.text()).toBe(new TextDecoder().decode(own))
  // Without its notes it asks the server, and finds everything there.
  await artifacts.store.delete(`sweeps/${sweep.id}/tracking/delivered.json`)
  expect(await trackSweep(artifacts, { sweep: await stored(sweep), ended: sweepEnd })).toMatchObject({
    points: 0,
  })
  expect(await held()).toEqual(all)
})

test("MLflow's search finds the average gap by rank", async () => {
  const { sweep, tracking } = fresh()
  await keepAll(sweep)
  await trackStoredSweep(artifacts, await stored(sweep), tracking)
  const gaps = async (filter: string) => {
    const { experiment } = await ask<{ experiment: { experiment_id: string } }>(
      url,
      `experiments/get-by-name?experiment_name=${encodeURIComponent(tracking.experiment)}`,
    )
    const { runs = [] } = await ask<{
      runs?: {
        data: { metrics?: { key: string; value: number }[]; params: { key: string; value: string }[] }
      }[]
    }>(url, 'runs/search', {
      experiment_ids: [experiment.experiment_id],
      filter: `tags."zeroshift.sweep" = '${sweep.id}' and ${filter}`,
      order_by: ['metrics.averageGap ASC'],
    })
    return runs.map(({ data: { metrics = [], params } }) => [
      params.find(({ key }) => key === 'sweep.rank')?.value,
      metrics.find(({ key }) => key === 'averageGap')?.value,
    ])
  }
  expect(gapOf(8)).toBeLessThan(gapOf(2) ?? 0)
  expect(await gaps(`params."method.method" = 'rfa'`)).toEqual([
    ['8', gapOf(8)],
    ['2', gapOf(2)],
  ])
  for (const rank of ranks)
    expect(await gaps(`params."sweep.rank" = '${rank}' and params."method.method" = 'rfa'`)).toEqual([
      [String(rank), gapOf(rank)],
    ])
  expect(await gaps(`params."sweep.rank" = '4'`)).toEqual([])
})

test('two workers that deliver the first cells at the same time make one run of the sweep', async () => {
  let lost = 0
  for (let round = 0; round < 30 && lost === 0; round++) {
    const { sweep, tracking, held } = fresh({ id: `race-${round}` })
    for (const rank of ranks) await keep(cellInput(rank))
    await artifacts.putSweep(sweep)
    for (const rank of ranks)
      await artifacts.store.delete(`runs/${cellInput(rank).run.id}/tracking/sweep.json`)
    const sending = ranks.map((rank) =>
      track(artifacts, { run: cellInput(rank).run, tracking, sweep: sweep.id, ended: finished }),
    )
    for (const outcome of await Promise.allSettled(sending))
      if (outcome.status === 'rejected') throw outcome.reason
    const all = await held()
    expectNested(all, sweep)
    // Whoever made it said what is varied.
    expect(named(all, sweep.id)[0]).toMatchObject({ status: 'RUNNING', params: { 'sweep.rank': '[2,8]' } })
    const deleted = await deletedIn(url, tracking.experiment)
    lost += deleted.filter((name) => name === sweep.id).length
  }
  // They raced, or the test would show nothing.
  expect(lost).toBeGreaterThan(0)
})

test('a sweep that was cancelled and resumed runs, and then is finished; what each end left stays', async () => {
  const { sweep, held } = fresh()
  await artifacts.putSweep(sweep)
  const top = async () => named(await held(), sweep.id)[0]
  await trackSweep(artifacts, { sweep })
  expect(await top()).toMatchObject({ status: 'RUNNING', metrics: {} })
  const killed: SweepEnd = { status: 'KILLED', at: 5000, counts: { ...counts, done: 0 } }
  await trackSweep(artifacts, { sweep, ended: killed })
  expect(await top()).toMatchObject({ status: 'KILLED', end: 5000, metrics: { done: [[0, 0, 5000]] } })
  await trackSweep(artifacts, { sweep })
  expect(await top()).toMatchObject({ status: 'RUNNING' })
  await keepAll(sweep)
  await trackSweep(artifacts, { sweep: await stored(sweep), ended: sweepEnd })
  expect(await top()).toMatchObject({
    status: 'FINISHED',
    end: sweepEnd.at,
    metrics: {
      done: [
        [0, 0, 5000],
        [1, 2, sweepEnd.at],
      ],
      lowestAverageGap: [[1, gapOf(8), sweepEnd.at]],
    },
  })
})

test('cells that were found whole in the store are sent when the sweep ends, and not when it was cancelled', async () => {
  const { sweep, held } = fresh()
  await keepAll(sweep)
  await trackSweep(artifacts, { sweep: await stored(sweep), ended: { ...sweepEnd, status: 'KILLED' } })
  expect(await held()).toHaveLength(1)
  await trackSweep(artifacts, { sweep: await stored(sweep), ended: { ...sweepEnd, at: sweepEnd.at + 1 } })
  const all = await held()
  expectNested(all, sweep)
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['FINISHED']))
})

test('a cell that its own workflow sent is not sent again by its sweep', async () => {
  const { sweep, tracking } = fresh()
  await keepAll(sweep)
  for (const rank of ranks)
    await track(artifacts, { run: cellInput(rank).run, tracking, sweep: sweep.id, ended: finished })
  const seen = await losing(url, () => false)
  const through = { ...(await stored(sweep)), tracking: { ...tracking, uri: seen.url } }
  await trackSweep(artifacts, { sweep: through, ended: sweepEnd })
  seen.paths.length = 0
  await trackSweep(artifacts, { sweep: through, ended: sweepEnd })
  expect(seen.paths).toEqual(['/api/2.0/mlflow/runs/search'])
  await seen.close()
})

test('a cell of two sweeps stays below the first, with its values there', async () => {
  const first = fresh({ id: 'first' })
  const second = fresh({ id: 'second', columns: [{ name: 'other', path: 'other' }] })
  await keepAll(first.sweep)
  await artifacts.putSweep(second.sweep)
  const { run } = cellInput(2)
  await track(artifacts, { run, tracking: first.tracking, sweep: 'first', ended: finished })
  const before = await first.held()
  await track(artifacts, { run, tracking: second.tracking, sweep: 'second', ended: finished })
  // By hand, without a word of a sweep.
  await trackStored(artifacts, run, second.tracking)
  expect(await first.held()).toEqual(before)
  expect(await second.held()).toEqual([])
})

test('by hand, from the store alone: what MLflow was not told while it was away, all of it once', async () => {
  const { sweep, tracking, held } = fresh()
  const away = { ...tracking, uri: 'http://127.0.0.1:9' }
  await keepAll({ ...sweep, tracking: away })
  const absent = await stored(sweep)
  await expect(trackSweep(artifacts, { sweep: absent })).rejects.toThrow('cannot be reached')
  for (const rank of ranks)
    await expect(
      track(artifacts, { run: cellInput(rank).run, tracking: away, sweep: sweep.id, ended: finished }),
    ).rejects.toThrow('cannot be reached')
  await expect(trackSweep(artifacts, { sweep: absent, ended: sweepEnd })).rejects.toThrow('cannot be reached')

  const byHand = () => zeroshift(directory, 'track', sweep.id, '--store', directory, '--tracking', url).ended
  const sent = await byHand()
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  expect(sent.stdout).toMatch(/^Sent \d+ points to 7 MLflow runs\.\n$/)
  const all = await held()
  expectNested(all, sweep)
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['FINISHED']))
  expect(named(all, sweep.id)[0]?.metrics).toMatchObject({ cached: [[0, 0, sweepEnd.at]] })
  expect(await byHand()).toMatchObject({ code: 0, stdout: 'MLflow has everything already.\n' })

  // A person deletes the sweep's run: the next one has the cells below it.
  await ask(url, 'runs/delete', { run_id: named(all, sweep.id)[0]?.id })
  await trackStoredSweep(artifacts, absent, tracking)
  expectNested(await held(), sweep)
})

test('a sweep that was not tracked is sent by hand where a server is named, with what its report says', async () => {
  const { tracking, held } = fresh()
  const { tracking: _, ...sweep } = sampleSweep({ name: tracking.experiment })
  await keepAll(sweep)
  const byHand = (...args: string[]) =>
    zeroshift(directory, 'track', sweep.id, '--store', directory, ...args).ended
  const aimless = await byHand()
  expect(aimless).toMatchObject({ code: 2 })
  expect(aimless.stderr).toContain(`the sweep ${sweep.id} was started without an MLflow server`)
  expect(await byHand('--tracking', url)).toMatchObject({ code: 0 })
  const all = await held()
  expectNested(all, sweep)
  const [top] = named(all, sweep.id)
  expect(top).toMatchObject({ status: 'FINISHED', end: Date.parse('2025-11-24T11:00:00.000Z') })
  expect(Object.keys(top?.metrics ?? {})).not.toContain('cached')
  const best = lowestGap(ranks.flatMap((rank) => results(cellInput(rank))))
  expect(top?.metrics.lowestAverageGap?.[0]?.[1]).toBe(best && valueOf(best.metrics.averageGap))
})

test('runs that have not begun are not sent', async () => {
  const { sweep, tracking, held } = fresh()
  for (const rank of ranks) await artifacts.putRun({ ...cellInput(rank).run, settings: { tracking } })
  await artifacts.putSweep(sweep)
  await trackStoredSweep(artifacts, sweep, tracking)
  expect((await held()).map(({ name, status }) => [name, status])).toEqual([[sweep.id, 'RUNNING']])
})

test('a sweep without gold is compared and tracked without the figures that need gold', async () => {
  const base = `${tinyBase}gold: none\ntracking: { uri: '${url}', experiment: without gold }\n`
  writeSweep(directory, 'grid: { "methods[0].rank": [1, 2] }', base)
  const { code, stdout, stderr } = await zeroshift(directory, 'sweep', 'ranks.yaml', '--json').ended
  expect(code, stderr).toBe(0)
  const answer = answerOf(stdout)
  expect(answer.status).toBe('completed')
  expect(answer.cells as SweepCounts).toMatchObject({ cells: 2, done: 2, failures: [] })

  const folder = fileURLToPath(answer.report)
  const csv = readFileSync(join(folder, 'results.csv'), 'utf8')
  expect(csv.split('\n').filter((line) => line.includes('rfa'))).toHaveLength(2)
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain(NO_GOLD)
  expect(existsSync(join(folder, 'report.json'))).toBe(true)

  const held = await holds(url, 'without gold')
  const methods = held.filter(({ name }) => name === 'rfa')
  const [sweep] = held.filter(({ name }) => name === answer.id)
  expect(held).toHaveLength(1 + 2 + 2)
  expect(held.map(({ status }) => status)).toEqual(held.map(() => 'FINISHED'))
  for (const { metrics } of methods) {
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['ua', 'ra', 'ta', 'zrf', 'validationGap']))
    for (const name of ['averageGap', 'jsDivergence', 'rte']) expect(metrics).not.toHaveProperty(name)
  }
  expect(sweep?.metrics).toMatchObject({ cells: [[0, 2, expect.any(Number)]] })
  expect(sweep?.metrics).not.toHaveProperty('lowestAverageGap')
})
