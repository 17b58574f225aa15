import type { RunEnd } from '../experiment/records/run.ts'
import { basesOf } from '../experiment/sweep/space.ts'
import type { SweepRecord } from '../experiment/sweep/sweep.ts'
import {
  deliveryTag,
  keyTag,
  sweepTag,
  type RunContents,
  type TrackedCell,
  type TrackedFile,
} from './contents.ts'
import { fitted, fittedName, type Strings } from './limits.ts'

/** The state of a sweep that is delivered to MLflow. */
export interface TrackedSweep {
  readonly sweep: SweepRecord
  /** Every end of the sweep, the latest last. A sweep that is resumed ends again. */
  readonly ends: readonly TrackedEnd[]
  /** Whether the sweep is running, possibly after an earlier end. */
  readonly isRunning: boolean
  /** Distinguishes the sweep of this store from the same sweep in another store. */
  readonly nonce: string
  /** The time of the first delivery in milliseconds since 1970. */
  readonly startedAt: number
  /** The files of the report. They are sent when the sweep has ended. */
  readonly files: readonly TrackedFile[]
}

export interface TrackedEnd extends RunEnd {
  /** By name, the number of cells in each state and their lowest average gap. */
  readonly figures: Readonly<Record<string, number>>
}

/**
 * Returns the contents of the MLflow run of a sweep, which is the parent of the runs of its cells.
 * Its parameters are the options that vary and their values at the first delivery, because MLflow
 * does not change parameters. Its metrics are the figures of each end, one step for each.
 */
export function sweepContents(tracked: TrackedSweep): RunContents {
  const { sweep, ends, isRunning, nonce, startedAt, files } = tracked
  const latest = isRunning ? undefined : ends.at(-1)
  const failed = (sweep.failures ?? []).map(({ run, reason }) => `${run}: ${reason}`)
  return {
    key: nonce,
    name: sweep.id,
    startTime: startedAt,
    status: latest?.status ?? 'RUNNING',
    ...(latest && { endTime: latest.at }),
    ...fitted(paramsOf(sweep), {
      [deliveryTag]: nonce,
      [keyTag]: nonce,
      [sweepTag]: sweep.id,
      ...(latest &&
        sweep.failures && { 'zeroshift.failed': failed.length > 0 ? failed.join('\n') : 'nothing' }),
    }),
    metrics: ends.flatMap(({ at, figures }, step) =>
      Object.entries(figures).map(([key, value]) => ({ key, value, timestamp: at, step })),
    ),
    inputs: [],
    files: latest ? files : [],
    models: [],
  }
}

/**
 * The name of the sweep, its base, the options that all cells share, and the values of each column
 * in the order of the cells.
 */
function paramsOf(sweep: SweepRecord): Strings {
  const { space, cells } = sweep
  const bases = basesOf(space)
  const names = namesOf(sweep)
  const columns = names.map((name, i) => {
    const values = cells.map(({ values }) => values[i] ?? null)
    return [name, JSON.stringify([...new Set(values)].filter((value) => value !== null))] as const
  })
  return {
    name: sweep.name,
    base: bases.length === 1 ? text(bases[0]) : text(bases),
    ...Object.fromEntries(
      Object.entries(space.set ?? {}).map(([path, value]) => [fittedName(`set.${path}`), text(value)]),
    ),
    ...Object.fromEntries(columns),
  }
}

/**
 * The values that distinguish a run of a sweep from the others: a parameter for each column in
 * which its cell has a value, and tags.
 */
export function cellOf(sweep: SweepRecord, run: string): Pick<TrackedCell, 'params' | 'tags'> {
  const cell = sweep.cells.find(({ runs }) => runs.includes(run))
  const params = namesOf(sweep).flatMap((name, i) => {
    const value = cell?.values[i] ?? null
    return value === null ? [] : [[name, text(value)] as const]
  })
  const rung = cell && cell.runs.length > 1 ? cell.runs.indexOf(run) : -1
  return {
    params: Object.fromEntries(params),
    tags: { [sweepTag]: sweep.id, ...(rung >= 0 && { 'zeroshift.rung': String(rung + 1) }) },
  }
}

/**
 * The name of the MLflow experiment of a sweep and of all its cells. MLflow nests runs only within
 * one experiment.
 */
export function experimentOf({ name, tracking }: SweepRecord): string {
  return tracking?.experiment ?? name
}

/** The names of the parameters of the columns. Equal names are numbered. */
function namesOf({ columns }: SweepRecord): readonly string[] {
  const names = columns.map(({ name }) => fittedName(`sweep.${name}`))
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name} ${i + 1}`))
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
