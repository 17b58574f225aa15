import type { BlobRef } from '../records/manifest.ts'
import { stagesOf } from '../stages/stage-list.ts'
import type { Plan } from './types.ts'

/**
 * The blobs that a run needs and no stage makes: the bundles of its plug-ins. The command that
 * starts the run writes them to the store.
 */
export function attachmentsOf(plan: Plan): readonly BlobRef[] {
  return attachmentsOfMethods(
    stagesOf(plan).flatMap((stage) =>
      (stage.kind === 'unlearn' || stage.kind === 'trial') && 'method' in stage.params
        ? [stage.params.method]
        : [],
    ),
  )
}

/** The attachments of the rows of a spec, each once. */
export function attachmentsOfMethods(
  methods: readonly { readonly method?: unknown; readonly plugin?: BlobRef | undefined }[],
): readonly BlobRef[] {
  const all = methods.flatMap(({ plugin }) => (plugin ? [plugin] : []))
  return [...new Map(all.map(({ sha256, bytes }) => [sha256, { sha256, bytes }])).values()]
}
