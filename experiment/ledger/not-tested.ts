import { metricColumns } from '../records/results.ts'
import { requestedByKind, requestedKinds } from '../stages/requested.ts'
import type { LedgerSpec } from './spec.ts'

/** The judges that no attempt of a ledger is tested by, in words. */
export function notTested(spec: LedgerSpec): string[] {
  return [
    ...(spec.gold.models === 0
      ? [`gold: ${metricColumns.averageGap.about}, since no model is trained without the samples`]
      : []),
    ...(spec.shadow === undefined ? ['shadow: membership inference with shadow models (LiRA and RMIA)'] : []),
    ...requestedKinds.flatMap((kind) =>
      spec[kind] === undefined ? [`${kind}: ${requestedByKind[kind].about.replace(', on request', '')}`] : [],
    ),
    ...(spec.model.name === 'pretrained'
      ? ['the checkpoint from which all models start: whether it was trained on the samples']
      : []),
    'backups, exported models and other copies outside of the store',
  ]
}
