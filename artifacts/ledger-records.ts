import { z } from 'zod'
import { canonicalJson } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { parseJson } from '../common/json.ts'
import {
  deletionNotesSchema,
  deletionSchema,
  type Deletion,
  type DeletionNotes,
} from '../experiment/records/deletion.ts'
import type { Artifacts } from './artifacts.ts'
import type { ObjectStore } from './store/object-store.ts'

/** The record of a settled request, with those of all earlier requests of its ledger. */
export interface StoredDeletion {
  readonly record: Deletion
  readonly earlier: readonly Deletion[]
  /** Absent if the operator has deleted them. */
  readonly notes?: DeletionNotes
}

/** Reads the record of a request. Throws a UserError if it or an earlier one cannot be read. */
export async function storedDeletion(
  { store }: Artifacts,
  ledger: string,
  number: number,
): Promise<StoredDeletion> {
  const records: Deletion[] = []
  for (let place = 1; place <= number; place++) {
    const record = NAME.test(ledger) ? await recordAt(store, recordPath(ledger, place)) : undefined
    if (!record) throw new UserError(await absence(store, ledger, place))
    records.push(record)
  }
  const record = records.pop()
  if (!record) throw new RangeError(`requests are numbered from 1, not ${number}`)
  const notes = await read(store, `ledgers/${ledger}/${numbered(number)}.notes.json`, deletionNotesSchema)
  return { record, earlier: records, ...(notes && { notes }) }
}

const NAME = /^(?!.{161})[\w-]+(\.[\w-]+)*$/
const numbered = (number: number) => String(number).padStart(6, '0')
const recordPath = (ledger: string, number: number) => `ledgers/${ledger}/${numbered(number)}.json`

async function recordAt(store: ObjectStore, path: string): Promise<Deletion | undefined> {
  const bytes = await store.get(path)
  const record = await read(store, path, deletionSchema)
  if (!bytes || !record || new TextDecoder().decode(bytes) === canonicalJson(record)) return record
  throw new UserError(
    `${store.locate(path)} is not the canonical JSON of a record, and was therefore changed; restore it from a copy of the store`,
  )
}

async function read<T>(store: ObjectStore, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const bytes = await store.get(path)
  if (!bytes) return undefined
  const { data, error } = schema.safeParse(parseJson(bytes))
  if (data !== undefined) return data
  const [issue] = error?.issues ?? []
  throw new UserError(
    `${store.locate(path)} cannot be read (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); restore it from a copy of the store`,
  )
}

/** Says what the store has in place of a record. */
async function absence(store: ObjectStore, ledger: string, number: number): Promise<string> {
  const found = (await store.list('ledgers/')).flatMap(({ path }) => {
    const [, name, digits] = /^ledgers\/([^/]+)\/(\d{6,})\.json$/.exec(path) ?? []
    return name === undefined ? [] : [{ name, number: Number(digits) }]
  })
  const names = [...new Set(found.map(({ name }) => name))]
  const numbers = found.filter(({ name }) => name === ledger).map((one) => one.number)
  if (numbers.length > 0)
    return `the ledger ${ledger} has no record of request ${number}; it has those of ${numbers.join(', ')}`
  const known =
    names.length > 0 ? `it has ${names.join(', ')}` : 'it has none: is it the right one (--store)?'
  return `the store ${store.url} has no records of a ledger '${ledger}'; ${known}`
}
