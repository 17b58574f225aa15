import type { Artifacts } from '../../../artifacts/artifacts.ts'
import { LatestCache } from '../../../common/latest-cache.ts'
import type { Session } from '../../contract.ts'
import type { Snapshot } from '../run-reader.ts'

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
}

/** The largest number of computed answers that are kept. */
const MOST_KEPT = 24

export function answerCache(): LatestCache<unknown> {
  return new LatestCache(MOST_KEPT)
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
