import { MathError } from '../../common/errors.ts'
import { withHeartbeat } from '../../activities/runtime/heartbeat.ts'
import { asFailure } from '../../activities/runtime/errors.ts'
import type { Activities } from '../../activities/index.ts'
import { whichEnded } from '../../activities/sweep.ts'
import { planParts } from '../../experiment/plan/run-parts.ts'
import type { ResultRow } from '../../experiment/records/results.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { HalvingSpec } from '../../experiment/sweep/space.ts'
import type { CellFailure, SweepEnd } from '../../experiment/sweep/sweep.ts'
import { recording } from './recording.ts'
import { sampleRun } from './run.ts'

/**
 * Activities of a sweep whose cells compute nothing: all stages are kept, and a cell ends when its
 * report is written. The id of a run is `<name>-<cell>`, or `<name>-<cell>-<rung>` below the last
 * rung.
 */
export function sweeping({
  name,
  cells,
  kept = [],
  broken = [],
  halving,
  isTracked = false,
  value = () => 0,
}: {
  readonly name: string
  readonly cells: number
  /** Cells that the store has whole. */
  readonly kept?: readonly number[]
  /** Cells whose report cannot be written. */
  readonly broken?: readonly number[]
  readonly halving?: HalvingSpec
  readonly isTracked?: boolean
  /** The value by which a run is ranked. */
  readonly value?: (cell: number, rung: number) => number
}) {
  const rungs = (halving?.rungs.length ?? 0) + 1
  const site = { cells }
  const idOf = (cell: number, rung = rungs - 1) =>
    rung === rungs - 1 ? `${name}-${cell}` : `${name}-${cell}-${rung}`
  const placeOf = (run: string) => {
    const [cell = 0, rung = rungs - 1] = run
      .slice(name.length + 1)
      .split('-')
      .map(Number)
    return { cell, rung }
  }
  const rowOf = (run: string) => {
    const { cell, rung } = placeOf(run)
    const metrics = { validationGap: { value: value(cell, rung) } }
    return { label: 'rfa', method: 'rfa', metrics } as unknown as ResultRow
  }
  /** Runs whose report was asked for, in that order, and those that wait for `release`. */
  const reported: string[] = []
  const waiting = new Map<string, () => void>()
  let held = (_run: string) => false
  const reports: (readonly CellFailure[])[] = []
  /** The ends that tracking was told. undefined means that the sweep goes on. */
  const told: (SweepEnd | undefined)[] = []
  /** Cells that ended, and the sweep that each was tracked below. */
  const cellsTold: { readonly run: string; readonly sweep: string | undefined }[] = []
  let most = 0
  let now = 0

  const activities: Activities = {
    ...recording().activities,
    planPart: () => {
      const { run, settings } = sampleRun({ name: 'cell' })
      const { texts, byKey } = planParts(run.plan)
      const done = stagesOf(run.plan).map(({ key }) => ({ key, digest: key, cached: true, seconds: 1 }))
      const tracking = { uri: 'http://127.0.0.1:1', register: false }
      return Promise.resolve({
        ...{ text: texts.join(''), parts: 1, byKey, kept: done },
        settings: { ...settings, ...(isTracked && { tracking }) },
      })
    },
    track: ({ run: { id }, sweep, ended }) => {
      if (ended) cellsTold.push({ run: id, sweep })
      return Promise.resolve({ points: 0, runs: 0, notes: [] })
    },
    report: async ({ run: { id } }) => {
      reported.push(id)
      most = Math.max(most, ++now)
      try {
        if (held(id))
          await withHeartbeat(
            () =>
              new Promise<void>((resolve) => {
                waiting.set(id, resolve)
              }),
          )
        if (broken.includes(placeOf(id).cell)) throw asFailure(new MathError(`cell ${id} has no report`))
        return { url: 'file:///report', digest: 'd', results: [rowOf(id)] }
      } finally {
        now--
      }
    },
    cellsOf: () =>
      Promise.resolve({
        cells: Array.from({ length: site.cells }, (_, cell) =>
          Array.from({ length: rungs }, (_, rung) => idOf(cell, rung)),
        ),
        rungs,
        factor: halving?.factor ?? 1,
        ...(halving && { halving }),
        ...(isTracked && { isTracked }),
      }),
    trackSweep: ({ ended }) => {
      told.push(ended)
      return Promise.resolve({ points: 0, runs: 0, notes: [] })
    },
    settled: ({ runs }) =>
      Promise.resolve(
        runs.map((run) =>
          kept.includes(placeOf(run).cell)
            ? { results: [rowOf(run)], incomplete: false }
            : { attributes: [] },
        ),
      ),
    whichEnded,
    reportSweep: ({ failures }) => {
      reports.push(failures)
      return Promise.resolve({ url: 'file:///sweep', digest: 'd' })
    },
  }
  return {
    activities,
    idOf,
    reported,
    reports,
    told,
    cellsTold,
    /** The sweep's record has more cells from now on. */
    extend: (more: number) => {
      site.cells += more
    },
    /** Runs that are to wait before they end. */
    hold: (which: (run: string) => boolean) => {
      held = which
    },
    /** All, and those that come later, unless one is named. */
    release: (run?: string) => {
      if (run === undefined) held = () => false
      for (const [id, resolve] of waiting)
        if (run === undefined || id === run) {
          resolve()
          waiting.delete(id)
        }
    },
    isWaiting: (run: string) => waiting.has(run),
    /** Runs at a time, at most. */
    most: () => most,
  }
}
