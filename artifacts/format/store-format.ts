import { z } from 'zod'
import { UserError } from '../../common/errors.ts'
import { pooled } from '../../common/concurrency.ts'
import type { ObjectStore } from '../store/object-store.ts'

/** Says how a store is written. A store without it was written before there was one. */
export const formatPath = 'store.json'

const FORMAT = 1

const schema = z.object({
  format: z.literal(FORMAT),
  /** Keys of the stages whose manifests were there, without a digest, when the store got this file. */
  undigested: z.array(z.string()),
})
export type StoreFormat = z.output<typeof schema>

/** A store that a later version of Zeroshift wrote. No part of it can be relied on here. */
export class LaterFormatError extends UserError {}

/** undefined: the store has none. Throws a UserError where it cannot be read, or a later version wrote it. */
export async function readFormat(store: ObjectStore): Promise<StoreFormat | undefined> {
  const bytes = await store.get(formatPath)
  if (!bytes) return undefined
  const value = parsed(bytes)
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

/** Throws a LaterFormatError. A `store.json` that cannot be read is left to those who need what it says. */
export async function refuseLaterFormat(store: ObjectStore): Promise<void> {
  await readFormat(store).catch((error: unknown) => {
    if (error instanceof LaterFormatError || !(error instanceof UserError)) throw error
  })
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
  await store.putIfAbsent(formatPath, formatBytes(undigested.flat()))
}

/**
 * Has the store's format file list more manifests without a digest, which are about to be copied into the store. Two
 * processes that do so at once may undo each other's entries: those manifests then count as none.
 */
export async function admitUndigested(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await ensureFormat(store)
  const { undigested = [] } = (await readFormat(store)) ?? {}
  const all = new Set([...undigested, ...keys])
  if (all.size > undigested.length) await store.put(formatPath, formatBytes([...all]))
}

/** The contents of a format file. Equal for equal sets of keys. */
export function formatBytes(undigested: readonly string[]): Uint8Array {
  const format: StoreFormat = { format: FORMAT, undigested: [...undigested].sort() }
  return new TextEncoder().encode(`${JSON.stringify(format, null, 1)}\n`)
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
