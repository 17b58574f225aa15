import type { Manifest, ManifestOf } from '../experiment/records/manifest.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import type { StageKind, StageOf } from '../experiment/stages/stage.ts'

/** What a report is made from. */
export interface ReportInput {
  readonly run: RunRecord
  /** Of the stages that finished, by stage key. */
  readonly manifests: Readonly<Record<string, Manifest>>
  readonly failed: readonly { readonly title: string; readonly reason: string }[]
}

/** A finished stage's manifest. */
export function manifestOf<K extends StageKind>(
  { manifests }: Pick<ReportInput, 'manifests'>,
  stage: Pick<StageOf<K>, 'key'>,
): ManifestOf<K> | undefined {
  return manifests[stage.key] as ManifestOf<K> | undefined
}
