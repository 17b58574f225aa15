import { z } from 'zod'
import type { BlobRef } from '../records/manifest.ts'
import { stagesOf } from '../stages/stage-list.ts'
import type { Plan } from './types.ts'

/**
 * The blobs that a run needs and no stage makes: the bundles of its plug-ins. The command that
 * starts the run writes them to the store.
 */
export function attachmentsOf(plan: Plan): readonly BlobRef[] {
  return pluginsIn(stagesOf(plan).map(({ params }) => params))
}

/** The bundles that parameters or a spec name, each once. */
export function pluginsIn(value: unknown): readonly BlobRef[] {
  const found = new Map<string, BlobRef>()
  const walk = (one: unknown) => {
    if (typeof one !== 'object' || one === null) return
    const { data } = 'plugin' in one ? namingSchema.safeParse(one) : {}
    if (data) found.set(data.plugin.sha256, data.plugin)
    for (const child of Object.values(one)) walk(child)
  }
  walk(value)
  return [...found.values()]
}

/** A part of a spec that names a plug-in. */
const namingSchema = z.object({
  plugin: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number() }),
  options: z.object({}),
})
