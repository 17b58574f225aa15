import { join } from 'node:path'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { jsonBytes } from '../../../../common/json.ts'
import { runId } from '../../../../experiment/records/run.ts'
import type { SweepView } from '../../../../ui/contract.ts'
import { answerCaches, type AnswerContext } from '../../../../ui/server/answers/context.ts'
import { sweepAnswer, sweepReportAnswer } from '../../../../ui/server/answers/sweep.ts'
import { KeptResults } from '../../../../ui/server/kept-results.ts'
import { RunReader } from '../../../../ui/server/run-reader.ts'
import { cellsOf } from '../../../../ui/sweep-columns.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { madeRuns, madeSweep, makeStore } from '../../../support/made-store.ts'
import { offline } from '../../../support/ui-server.ts'

const CELLS = 400
let artifacts: Artifacts
let ids: readonly string[]

beforeAll(async () => {
  const store = new FileStore(join(fileDirectory(), 'store'))
  artifacts = new Artifacts(store)
  await makeStore(store, { runs: [0], sweep: true })
  const [run] = madeRuns
  const report = run && (await store.get(`runs/${run.id}/report/report.json`))
  const sweep = await artifacts.sweep(madeSweep)
  if (!run || !report || !sweep) throw new Error('the store has a run, its report and a sweep')
  const names = Array.from({ length: CELLS }, (_, i) => `cell-${i}`)
  ids = names.map((name) => runId(name, run.plan))
  await Promise.all(
    names.map(async (name, i) => {
      const id = ids[i] ?? ''
      await store.put(`runs/${id}/run.json`, jsonBytes({ ...run, id, spec: { ...run.spec, name } }))
      await store.put(`runs/${id}/report/report.json`, report)
    }),
  )
  await artifacts.putSweep({ ...sweep, cells: ids.map((id) => ({ values: [], runs: [id] })) })
})
afterEach(() => {
  vi.restoreAllMocks()
})

function contextOf(kept?: KeptResults): AnswerContext {
  const reader = new RunReader(artifacts, offline)
  const snapshot = reader.read({ runs: new Set(), sweeps: new Set() })
  return {
    ...{ artifacts, ...answerCaches(), ...(kept && { kept }) },
    snapshot: () => snapshot,
    session: () => Promise.reject(new Error('no session is needed')),
    lastCheck: () => Promise.resolve(undefined),
  }
}

async function ask(context: AnswerContext): Promise<SweepView> {
  const answer = await sweepAnswer(context, { sweep: madeSweep })
  if (!('json' in answer)) return expect.fail('the answer is no JSON')
  return JSON.parse(answer.text ?? JSON.stringify(answer.json)) as SweepView
}

/** No time passes while reports are read. */
function patientClock(): void {
  vi.spyOn(performance, 'now').mockReturnValue(0)
}

/** Every look at the clock finds that an hour has passed. */
function hastyClock(): void {
  let hours = 0
  vi.spyOn(performance, 'now').mockImplementation(() => 3_600_000 * hours++)
}

it('shows the cells before all reports are read, and more of their figures for each request', async () => {
  patientClock()
  const whole = cellsOf((await ask(contextOf())).cells)
  expect(whole.map(({ run }) => run)).toEqual(ids)
  expect(whole.every(({ rows }) => rows.length > 0)).toBe(true)
  const context = contextOf()
  await context.snapshot()
  hastyClock()
  let read = 0
  for (;;) {
    const { cells, reading } = await ask(context)
    if (!reading) {
      expect(cellsOf(cells)).toEqual(whole)
      break
    }
    expect(reading.reports).toBe(CELLS)
    expect(reading.read).toBeGreaterThan(read)
    read = reading.read
    expect(cellsOf(cells).filter(({ rows }) => rows.length > 0)).toHaveLength(read)
  }
  expect(read).toBeGreaterThan(CELLS / 2)
})

it('compares all cells, however long that takes', async () => {
  const context = contextOf()
  await context.snapshot()
  hastyClock()
  const answer = await sweepReportAnswer(context, { sweep: madeSweep })
  for (const id of ids) expect(JSON.stringify(answer)).toContain(id)
})

it('reads no report that an earlier server has read', async () => {
  const folder = join(fileDirectory(), 'cache')
  const kept = () => new KeptResults({ folder, store: artifacts.store.url, version: '' })
  patientClock()
  const first = await ask(contextOf(kept()))
  const reports = vi.spyOn(artifacts, 'reportJson')
  expect(await ask(contextOf(kept()))).toEqual(first)
  expect(reports).not.toHaveBeenCalled()
})
