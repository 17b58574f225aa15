import type { BlobRef } from '../records/manifest.ts'
import { ascending } from '../spec/indices.ts'
import { withoutPlaces } from '../spec/places.ts'
import type { Spec } from '../spec/spec.ts'
import { isExact } from '../spec/method-facts.ts'
import { stepName } from './ledger.ts'
import type { LedgerSpec } from './spec.ts'

/** The state of a ledger before a request, or before the first request of a batch. */
export interface Before {
  /** The indices of the samples that fulfilled requests have forgotten. */
  readonly forgotten: readonly number[]
  /** The model in use. Absent while it is the original. */
  readonly current?: BlobRef | undefined
}

/** The label of the model in use in the report of a step. */
export const modelInUse = 'model in use'

/**
 * The experiment of a step of the ladder. It follows from the ledger and the earlier requests
 * alone.
 *
 * - Its forget set has the requested samples and all that were forgotten before. The retained set
 *   therefore lacks both, and every figure of the forget set shows whether earlier deletions last.
 * - An approximate method starts from the model in use, which is given by the digest of its blob.
 *   This model is judged as well, since a rule that it meets shows nothing.
 * - An exact method starts from the ledger's own training, with all these samples left out. The
 *   model in use may be that of an approximate method, which no exact method may start from.
 *
 * @param step counts from 1
 */
export function stepSpec(
  spec: LedgerSpec,
  { number, step }: { readonly number: number; readonly step: number },
  requested: readonly number[],
  { forgotten, current }: Before,
): Spec {
  const row = spec.ladder[step - 1]
  if (!row) throw new RangeError(`the ladder has ${spec.ladder.length} steps and no step ${step}`)
  const whole = wholeSpec(spec, [...forgotten, ...requested])
  const { gold } = whole
  return {
    ...whole,
    name: stepName(spec.name, number, step),
    methods: isExact(row.method) ? [row] : [row, { method: 'original', label: modelInUse }],
    ...(current &&
      !isExact(row.method) && {
        original: { given: { kind: 'weights', files: [{ name: current.sha256, ...current }] } },
      }),
    // The gold model is the model that `retrain` makes.
    gold: row.method === 'retrain' ? { ...gold, models: Math.max(1, gold.models) } : gold,
  }
}

/** The ledger as one experiment that starts from the original and has all steps as its rows. */
export function wholeSpec(
  { ladder, accept: _, batch: __, ...sections }: LedgerSpec,
  forgotten: readonly number[],
): Spec {
  return {
    ...sections,
    split: { kind: 'indices', indices: [...ascending(new Set(forgotten))] },
    methods: ladder,
  }
}

/** A ledger without local directories, as it is recorded. */
export function withoutLedgerPlaces(spec: LedgerSpec): LedgerSpec {
  const { data, model, original, gold } = withoutPlaces(wholeSpec(spec, []))
  return { ...spec, data, model, gold, ...(original && { original }) }
}
