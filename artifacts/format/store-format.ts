import { z } from 'zod'
import { UserError } from '../../common/errors.ts'
import { parseJson } from '../../common/json.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import type { ObjectStore } from '../store/object-store.ts'

/** The file that gives the format of a store. Stores of the first versions do not have it. */
export const formatPath = 'store.json'

const FORMAT = 1

const schema = z.object({
  format: z.literal(FORMAT),
  /**
   * The keys of the stages whose manifests may lack a digest, because they are older than this
   * file.
   */
  undigested: z.array(z.string()),
})
export type StoreFormat = z.output<typeof schema>

/** The store was written by a later version of Zeroshift, so that this one cannot read it. */
export class LaterFormatError extends UserError {}

/**
 * The format of a store. Returns undefined if the store has no format file. Throws a UserError if
 * the file is not valid, and a LaterFormatError if a later version wrote it.
 */
export async function readFormat(store: ObjectStore): Promise<StoreFormat | undefined> {
  const bytes = await store.get(formatPath)
  if (!bytes) return undefined
  const value = parseJson(bytes)
  const { data } = schema.safeParse(value)
  if (data) return data
  const { format } = (value ?? {}) as { readonly format?: unknown }
  if (typeof format === 'number' && format > FORMAT)
    throw new LaterFormatError(
      `${store.locate(formatPath)} says that the store has the format ${format}; expected ${FORMAT}. Use the version of Zeroshift that wrote it`,
    )
  throw new UserError(
    `${store.locate(formatPath)} does not say the store's format; expected {"format": ${FORMAT}, "undigested": […]}. Put back ` +
      'a copy of it, or delete it: the store then counts as one of a version that wrote none',
  )
}

/**
 * Throws a LaterFormatError if a later version wrote the store. A format file that is not valid is
 * no error here: it is one for those who need its contents.
 */
export async function refuseLaterFormat(store: ObjectStore): Promise<void> {
  await readFormat(store).catch((error: unknown) => {
    if (error instanceof LaterFormatError || !(error instanceof UserError)) throw error
  })
}

/**
 * Writes the format file of a store that has none. For this it reads all manifests, once in the
 * life of the store.
 */
export async function ensureFormat(store: ObjectStore): Promise<void> {
  if (await readFormat(store)) return
  const manifests = (await store.list('stages/')).filter(({ path }) => manifestName.test(path))
  const undigested = await mapConcurrently(manifests, async ({ path }) => {
    const bytes = await store.get(path)
    const isOld = bytes && !hasDigest(bytes)
    return isOld ? (manifestName.exec(path)?.slice(1) ?? []) : []
  })
  await store.putIfAbsent(formatPath, formatBytes(undigested.flat()))
}

/**
 * Lists more stages whose manifests lack a digest in the format file, before these manifests are
 * copied into the store. If two processes do this at the same time, one may undo the entries of the
 * other. The affected manifests are then not valid, and their stages are computed again.
 */
export async function allowUndigested(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await ensureFormat(store)
  const { undigested = [] } = (await readFormat(store)) ?? {}
  const all = new Set([...undigested, ...keys])
  if (all.size > undigested.length) await store.put(formatPath, formatBytes([...all]))
}

/** The contents of a format file. The order of the keys makes no difference. */
export function formatBytes(undigested: readonly string[]): Uint8Array {
  const format: StoreFormat = { format: FORMAT, undigested: [...undigested].sort() }
  return new TextEncoder().encode(`${JSON.stringify(format, null, 1)}\n`)
}

/** Whether the manifest of the stage with this key may lack a digest. */
export function mayLackDigest(format: StoreFormat | undefined, key: string): boolean {
  return format === undefined || format.undigested.includes(key)
}

const manifestName = /^stages\/[a-z]+\/([0-9a-f]{64})\/manifest\.json$/

function hasDigest(bytes: Uint8Array): boolean {
  const value = parseJson(bytes)
  return typeof value !== 'object' || value === null || 'digest' in value
}
