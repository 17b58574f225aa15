import { digestOf } from '../../common/canonical.ts'
import type { Deletion } from '../records/deletion.ts'
import type { BlobRef } from '../records/manifest.ts'
import type { DeletionRequest } from './ledger.ts'
import type { Before } from './step.ts'

/** A ledger after its settled requests. */
export interface LedgerState extends Before {
  /** The model in use. Absent before the first record. */
  readonly model?: BlobRef
  /** The digest of the last record. Null before the first one. */
  readonly previous: string | null
}

/** The state after the given requests, which are all settled and in their order. Pure. */
export function stateAfter(
  settled: readonly { readonly request: DeletionRequest; readonly record: Deletion }[],
): LedgerState {
  const fulfilled = settled.filter(({ record }) => record.state === 'fulfilled')
  const last = settled.at(-1)?.record
  const model = last?.model.after
  return {
    forgotten: fulfilled.flatMap(({ request }) => request.samples.map(({ index }) => index)),
    // The first request started from the original. Later ones start from the last model.
    ...(fulfilled.length > 0 && model && { current: model }),
    ...(model && { model }),
    previous: last ? digestOf(last) : null,
  }
}
