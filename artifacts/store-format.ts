import { z } from 'zod'
import { UserError } from '../experiment/errors.ts'
import { pooled } from './pooled.ts'
import type { ObjectStore } from './store.ts'

/** Says how a store is written. A store without it was written before there was one. */
export const formatPath = 'store.json'

const FORMAT = 1

const schema = z.object({
  format: z.literal(FORMAT),
  /** Keys of the stages whose manifests were there, without a digest, when the store got this file. */
  undigested: z.array(z.string()),
})
export type StoreFormat = z.output<typeof schema>

/** undefined: the store has none. Throws a UserError where it cannot be read, or a later version wrote it. */
export async function readFormat(store: ObjectStore): Promise<StoreFormat | undefined> {
  const bytes = await store.get(formatPath)
  if (!bytes) return undefined
  const value = parsed(bytes)
  const { data } = schema.safeParse(value)
  if (data) return data
  const { format } = (value ?? {}) as { readonly format?: unknown }
  throw new UserError(
    typeof format === 'number' && format > FORMAT
      ? `${store.locate(formatPath)} says that the store has the format ${format}; expected ${FORMAT}. Use the version of Zeroshift that wrote it`
      : `${store.locate(formatPath)} does not say the store's format; expected {"format": ${FORMAT}, "undigested": […]}. Put back ` +
          'a copy of it, or delete it: the store then counts as one of a version that wrote none',
  )
}

/** Gives a store its format file where it has none. Reads the manifests that are there, once in a store's life. */
export async function ensureFormat(store: ObjectStore): Promise<void> {
  if (await readFormat(store)) return
  const manifests = (await store.list('stages/')).filter(({ path }) => manifestName.test(path))
  const undigested = await pooled(manifests, async ({ path }) => {
    const bytes = await store.get(path)
    const isOld = bytes && !hasDigest(bytes)
    return isOld ? (manifestName.exec(path)?.slice(1) ?? []) : []
  })
  const format: StoreFormat = { format: FORMAT, undigested: undigested.flat() }
  await store.putIfAbsent(formatPath, new TextEncoder().encode(`${JSON.stringify(format, null, 1)}\n`))
}

/** Whether the manifest of this key may be without a digest. */
export function mayLackDigest(format: StoreFormat | undefined, key: string): boolean {
  return format === undefined || format.undigested.includes(key)
}

const manifestName = /^stages\/[a-z]+\/([0-9a-f]{64})\/manifest\.json$/

function hasDigest(bytes: Uint8Array): boolean {
  const value = parsed(bytes)
  return typeof value !== 'object' || value === null || 'digest' in value
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
