import { pathToFileURL } from 'node:url'
import { keepBundle, keptBundle } from '../../api/bundle-cache.ts'
import { definitionOf, type Definitions } from '../../api/read-definition.ts'
import { register } from '../../api/registry.ts'
import { MissingBlobError } from '../../artifacts/blobs/blob-errors.ts'
import { errorMessage, UserError } from '../../common/errors.ts'
import type { PluginKind, PluginRef } from '../../experiment/spec/plugin.ts'
import type { StageKind } from '../../experiment/stages/stage.ts'
import type { StageContext } from './stage.ts'

/** What the import of a plug-in depends on: the store, and whether this worker allows programs. */
export type PluginSource = Pick<StageContext<StageKind>, 'artifacts' | 'allowsPrograms'>

/**
 * Imports a plug-in by the digest of its bundle. Throws a UserError if this worker may not execute
 * it, if the store lacks it, or if it is of another kind.
 */
export async function loadPlugin<K extends PluginKind>(
  source: PluginSource,
  kind: K,
  plugin: PluginRef,
): Promise<Definitions[K]> {
  const where = `the plug-in ${plugin.name} (SHA-256 ${plugin.sha256})`
  const own = await keptBundle('bundled', plugin.sha256)
  const file = own?.file ?? (await fetched(source, plugin, where))
  register(await import('../../api/engine.ts'))
  const module: unknown = await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new UserError(`${where} cannot be loaded: ${errorMessage(cause)}`)
  })
  return definitionOf(module, kind, where)
}

/** Returns the file of a bundle that comes from elsewhere. Fetches it from the store if needed. */
async function fetched(
  { artifacts, allowsPrograms }: PluginSource,
  plugin: PluginRef,
  where: string,
): Promise<string> {
  if (!allowsPrograms)
    throw new UserError(
      `this worker may not execute ${where}: no config of its user has named it on this machine. Start the worker with ` +
        '--allow-external (or ZEROSHIFT_ALLOW_EXTERNAL=1) if everyone who may start runs may execute programs as its user',
    )
  const kept = await keptBundle('fetched', plugin.sha256)
  if (kept) return kept.file
  const bytes = await artifacts.getBlob(plugin).catch((error: unknown) => {
    if (!(error instanceof MissingBlobError)) throw error
    throw new UserError(
      `${where} is not in the store; run the same command again where its source is, which writes it`,
    )
  })
  return keepBundle('fetched', bytes)
}
