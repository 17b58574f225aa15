import { z } from 'zod'
import { canonicalJson } from '../common/canonical.ts'
import { mapConcurrently } from '../common/concurrency.ts'
import { UserError } from '../common/errors.ts'
import { jsonBytes, parseJson } from '../common/json.ts'
import type { DeletionRequest, LedgerRecord } from '../experiment/ledger/ledger.ts'
import { ledgerSchema } from '../experiment/ledger/spec.ts'
import {
  deletionNotesSchema,
  deletionSchema,
  type Deletion,
  type DeletionNotes,
} from '../experiment/records/deletion.ts'
import { purgeSchema, type Purge } from '../experiment/records/purge.ts'
import type { Artifacts } from './artifacts.ts'
import {
  deletionNotesPath,
  deletionPath,
  ledgerFolder,
  ledgerPath,
  purgePath,
  requestPath,
} from './format/layout.ts'
import { ensureFormat, readFormat } from './format/store-format.ts'
import type { ObjectStore } from './store/object-store.ts'

/** The ledgers in a store, their requests and their records. */

const recordSchema = z.looseObject({
  format: z.literal(1),
  name: z.string(),
  digest: z.string(),
  spec: ledgerSchema,
  facts: z.looseObject({}),
  config: z.string(),
  settings: z.looseObject({}),
})

const requestSchema = z.strictObject({
  number: z.int().min(1),
  reference: z.string(),
  received: z.iso.datetime(),
  salt: deletionNotesSchema.shape.salt,
  samples: deletionNotesSchema.shape.samples,
})

/** A request, with its record and notes if it is settled. */
export interface StoredRequest {
  readonly request: DeletionRequest
  readonly record?: Deletion
  readonly notes?: DeletionNotes
}

/** A settled request, with the records of all earlier requests of its ledger in their order. */
export interface StoredDeletion {
  readonly record: Deletion
  readonly earlier: readonly Deletion[]
  /** Absent if the operator has deleted them. */
  readonly notes?: DeletionNotes
}

/** The record of a ledger. Returns undefined if the store has none. Throws a UserError. */
export async function readLedger({ store }: Artifacts, name: string): Promise<LedgerRecord | undefined> {
  await readFormat(store)
  const value = await read(store, ledgerPath(name), recordSchema)
  // The facts and the settings are those that were written.
  return value as LedgerRecord | undefined
}

/**
 * The requests of a ledger in their order. Throws a UserError if one of them, its record or its
 * notes cannot be read.
 */
export async function readRequests({ store }: Artifacts, name: string): Promise<readonly StoredRequest[]> {
  const objects = await store.list(`${ledgerFolder(name)}/`)
  const numbers = objects.flatMap(({ path }) => {
    const [, number] = /\/(\d{6,})\.request\.json$/.exec(path) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  return mapConcurrently(
    numbers.sort((a, b) => a - b),
    async (number) => {
      const request = await read(store, requestPath(name, number), requestSchema)
      if (!request)
        throw new Error(`${store.locate(requestPath(name, number))} was deleted while it was read`)
      const record = await recordAt(store, deletionPath(name, number))
      const notes = record && (await read(store, deletionNotesPath(name, number), deletionNotesSchema))
      return { request, ...(record && { record }), ...(notes && { notes }) }
    },
  )
}

/**
 * Reads the record of a settled request and those before it. Throws a UserError if one of them is
 * missing or cannot be read.
 */
export async function readDeletion(
  artifacts: Artifacts,
  name: string,
  number: number,
): Promise<StoredDeletion> {
  const requests = await readRequests(artifacts, name)
  const stored = new Map(requests.map((one) => [one.request.number, one]))
  const settled = requests.flatMap(({ request, record }) => (record ? [request.number] : []))
  const at = (place: number) => {
    const { record, notes } = stored.get(place) ?? {}
    if (record) return { record, notes }
    const state = stored.has(place) ? 'no record of request' : 'no request'
    throw new UserError(
      `the ledger ${name} has ${state} ${place}; it has ${settled.length > 0 ? `records of ${settled.join(', ')}` : 'no records'}`,
    )
  }
  const { record, notes } = at(number)
  const earlier = Array.from({ length: number - 1 }, (_, i) => at(i + 1).record)
  return { record, earlier, ...(notes && { notes }) }
}

/** Writes the record of a ledger, unless the store has one. */
export async function putLedger({ store }: Artifacts, ledger: LedgerRecord): Promise<void> {
  await ensureFormat(store)
  await store.putIfAbsent(ledgerPath(ledger.name), jsonBytes(ledger))
}

/** Writes a request. Returns false, and writes nothing, if its number is taken. */
export function putRequest({ store }: Artifacts, name: string, request: DeletionRequest): Promise<boolean> {
  return store.putIfAbsent(requestPath(name, request.number), jsonBytes(request))
}

/**
 * Writes the record of a settled request, unless the store has one, after its notes. The bytes of
 * the record are its canonical JSON, so that their SHA-256 is the digest of the record.
 */
export async function putDeletion(
  { store }: Artifacts,
  name: string,
  record: Deletion,
  notes: DeletionNotes,
): Promise<void> {
  await store.put(deletionNotesPath(name, record.number), jsonBytes(deletionNotesSchema.parse(notes)))
  const bytes = new TextEncoder().encode(canonicalJson(deletionSchema.parse(record)))
  await store.putIfAbsent(deletionPath(name, record.number), bytes)
}

/** The record of the purge after a request. Returns undefined if there was none. */
export function readPurge({ store }: Artifacts, name: string, number: number): Promise<Purge | undefined> {
  return read(store, purgePath(name, number), purgeSchema)
}

/** Writes the record of a purge, as canonical JSON, or replaces it. */
export async function putPurge({ store }: Artifacts, record: Purge): Promise<void> {
  const bytes = new TextEncoder().encode(canonicalJson(purgeSchema.parse(record)))
  await store.put(purgePath(record.ledger.name, record.number), bytes)
}

/** The SHA-256s of all objects that purges of ledgers have deleted. */
export async function purgedDigests(store: ObjectStore): Promise<ReadonlySet<string>> {
  const objects = await store.list('ledgers/')
  const found = await mapConcurrently(
    objects.filter(({ path }) => /\/\d{6,}\.purge\.json$/.test(path)),
    async ({ path }) => (await read(store, path, purgeSchema))?.deleted ?? [],
  )
  return new Set(found.flat().map(({ sha256 }) => sha256))
}

/** The names of all ledgers of a store. */
export async function ledgersIn(store: ObjectStore): Promise<readonly string[]> {
  const objects = await store.list('ledgers/')
  return objects.flatMap(({ path }) => /^ledgers\/([^/]+)\/ledger\.json$/.exec(path)?.[1] ?? [])
}

/** Reads a record, whose digest is that of its bytes only if these are its canonical JSON. */
async function recordAt(store: ObjectStore, path: string): Promise<Deletion | undefined> {
  const bytes = await store.get(path)
  const record = bytes && parsed(store, path, bytes, deletionSchema)
  if (!record || new TextDecoder().decode(bytes) === canonicalJson(record)) return record
  throw new UserError(
    `${store.locate(path)} is not the canonical JSON of a record, and was therefore changed; restore it from a copy of the store`,
  )
}

async function read<T>(store: ObjectStore, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const bytes = await store.get(path)
  return bytes && parsed(store, path, bytes, schema)
}

function parsed<T>(store: ObjectStore, path: string, bytes: Uint8Array, schema: z.ZodType<T>): T {
  const { data, error } = schema.safeParse(parseJson(bytes))
  if (data !== undefined) return data
  const [issue] = error?.issues ?? []
  throw new UserError(
    `${store.locate(path)} is not as it was written (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no JSON'}); restore it from a copy of the store`,
  )
}
