import type { StoredRequest } from '../../artifacts/stored-ledgers.ts'
import { shown } from '../../experiment/ledger/evidence.ts'
import {
  batchOf,
  type Attempt,
  type Batch,
  type Claim,
  type Evidence,
} from '../../experiment/records/deletion.ts'

/** A request of a ledger, as `forget` and `ledger` show it. It names no sample. */
export interface LedgerRow {
  readonly number: number
  readonly reference: string
  readonly received: string
  readonly samples: number
  readonly state: 'queued' | 'fulfilled' | 'refused'
  readonly claim: Claim | null
  /** The reason of a refusal. */
  readonly reason: string | null
  readonly finished: string | null
  /** The requests that were settled together with this one, if there were several. */
  readonly batch: Batch | null
  readonly attempts: readonly Attempt[]
}

export function ledgerRow({ request, record, notes }: StoredRequest): LedgerRow {
  const { number, reference, received, samples } = request
  return {
    ...{ number, reference, received, samples: samples.length },
    state: record?.state ?? 'queued',
    claim: record?.claim ?? null,
    reason: record?.reason ?? null,
    finished: notes?.finished ?? null,
    batch: (record && batchOf(record)) ?? null,
    attempts: record?.attempts ?? [],
  }
}

/** A line for each attempt: its outcome and the figures of the acceptance rule. */
export function attemptLines({ attempts }: LedgerRow): readonly string[] {
  return attempts.map(({ label, run, outcome, claim, reason, evidence }) => {
    const why = outcome === 'accepted' ? `accepted, ${claim}` : outcome
    const figures = evidence.map(evidenceText).join(', ')
    return [`${label}: ${why}`, figures, reason ?? '', run].filter(Boolean).join(' · ')
  })
}

function evidenceText({ figure, value, limit, missing, floor, before }: Evidence): string {
  if (value === null || missing !== undefined) return `${figure} missing (${missing ?? 'unknown'})`
  const ofFloor = floor === undefined ? '' : `, floor ${shown(floor)}`
  const ofBefore = typeof before?.value === 'number' ? `, before ${shown(before.value)}` : ''
  return `${figure} ${shown(value)} (at most ${shown(limit)}${ofFloor}${ofBefore})`
}
