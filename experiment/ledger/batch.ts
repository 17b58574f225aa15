import { millisecondsOf } from '../../common/period.ts'
import type { DeletionRequest } from './ledger.ts'
import type { LedgerSpec } from './spec.ts'

/** Requests that are settled together, from the first to the last one. */
export interface OpenBatch {
  readonly first: number
  readonly last: number
  /** The time at which they are settled, in ISO 8601. Absent if they are settled at once. */
  readonly until?: string
}

/**
 * Returns the requests that are settled next, or undefined if all are settled. They wait from the
 * time of the first of them on, so that an interruption does not prolong the wait. Without `batch`,
 * each request is settled alone. Pure.
 */
export function nextBatch(
  { batch }: Pick<LedgerSpec, 'batch'>,
  open: readonly Pick<DeletionRequest, 'number' | 'received'>[],
): OpenBatch | undefined {
  const [first] = open
  if (!first) return undefined
  const period = batch === undefined ? undefined : millisecondsOf(batch)
  if (period === undefined) return { first: first.number, last: first.number }
  return {
    first: first.number,
    last: open.at(-1)?.number ?? first.number,
    until: new Date(Date.parse(first.received) + period).toISOString(),
  }
}
