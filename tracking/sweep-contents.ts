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
  /** Every end that it has come to, the latest last: one that is resumed comes to another. */
  readonly ends: readonly TrackedEnd[]
  /** It goes on: the latest end does not hold any longer. */
  readonly isRunning: boolean
  /** Tells this store's sweep from the same one in another store. */
  readonly nonce: string
  /** Milliseconds since 1970, of the first delivery. */
  readonly startedAt: number
  /** Of the report, once the sweep has ended. */
  readonly files: readonly TrackedFile[]
}

export interface TrackedEnd extends RunEnd {
  /** By name: how many cells of each kind, and the lowest average gap that they reached. */
  readonly figures: Readonly<Record<string, number>>
}

/**
 * The MLflow run of a sweep, above those of its cells. Its parameters say what is varied, as it was
 * at the first delivery: MLflow changes none. Its metrics are what each of its ends left, one step
 * an end.
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
 * The sweep's name, what all cells share, and the values of each column, in the order of the cells.
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
 * What tells a run of a sweep from the others: a parameter for each column of which it has
 * something.
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

/** The MLflow experiment of a sweep and of all its cells: runs are nested within one. */
export function experimentOf({ name, tracking }: SweepRecord): string {
  return tracking?.experiment ?? name
}

/** Of the columns' parameters, each one's own. */
function namesOf({ columns }: SweepRecord): readonly string[] {
  const names = columns.map(({ name }) => fittedName(`sweep.${name}`))
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name} ${i + 1}`))
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
