import type { FoundRun, RunWithOutcome } from '../../../activities/comparison.ts'
import type { Artifacts } from '../../../artifacts/artifacts.ts'
import { LatestCache } from '../../../common/latest-cache.ts'
import type { ReportInput } from '../../../report/report.ts'
import type { Session } from '../../contract.ts'
import type { KeptResults } from '../kept-results.ts'
import type { Operations } from '../operations.ts'
import type { Snapshot } from '../run-reader.ts'

/** A run with its finished stages, and a digest of these for the keys of computed answers. */
export interface StoredInput {
  readonly input: ReportInput
  readonly digest: string
}

/** What the answers are made from. */
export interface AnswerContext {
  readonly artifacts: Artifacts
  /** The runs as the store and the Temporal server have them now. */
  readonly snapshot: () => Promise<Snapshot>
  readonly session: () => Promise<Session>
  /**
   * Values that take long to compute. The key names the answer and everything that it depends on,
   * such as the digests of manifests.
   */
  readonly cache: LatestCache<unknown>
  /** The results of runs as their reports have them, by id and date of the report. */
  readonly outcomes: LatestCache<FoundRun>
  /** Results of large sweeps in files. Absent if none are kept. */
  readonly kept?: KeptResults
  /** Runs as they were first read. Present in an export, whose answers are of one moment. */
  readonly inputs?: Map<string, Promise<StoredInput>>
  /** Results of runs for comparisons, by id. Present in an export, which has many of them. */
  readonly compared?: Map<string, Promise<RunWithOutcome['outcome']>>
  readonly lastCheck: Operations['lastCheck']
}

/** The largest numbers of computed answers, and of results of runs, that are kept. */
const MOST_ANSWERS = 24
const MOST_OUTCOMES = 12_000

export function answerCaches(): Pick<AnswerContext, 'cache' | 'outcomes'> {
  return { cache: new LatestCache(MOST_ANSWERS), outcomes: new LatestCache(MOST_OUTCOMES) }
}

/**
 * Returns the value of a key, computed unless it is known. Requests at the same time share the
 * computation. A failed one is not kept.
 */
export function cached<T>(
  { cache }: Pick<AnswerContext, 'cache'>,
  key: string,
  compute: () => Promise<T>,
): Promise<T> {
  const known = cache.get(key) as Promise<T> | undefined
  if (known) return known
  const value = compute()
  cache.set(key, value)
  value.catch(() => {
    if (cache.get(key) === value) cache.delete(key)
  })
  return value
}
