import { canonicalJson, sha256 } from '../../common/canonical.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { parseJson } from '../../common/json.ts'
import { chainFlaws, deletionFlaws } from '../../experiment/records/deletion-flaws.ts'
import {
  deletionNotesSchema,
  deletionSchema,
  type Deletion,
  type DeletionNotes,
} from '../../experiment/records/deletion.ts'
import { merkleRoot } from '../../signatures/merkle.ts'
import { blobPath, deletionNotesPath, deletionPath } from '../format/layout.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { ledgersIn } from '../stored-ledgers.ts'
import type { Suspicion } from './damage.ts'

/** What the store has besides the ledgers. */
interface Around {
  /** The paths of all blobs. */
  readonly blobs: ReadonlyMap<string, unknown>
  /** The SHA-256s of the blobs that purges have deleted. */
  readonly purged: ReadonlySet<string>
}

const REMEDY = 'put back a copy of it; a record cannot be made again'

/**
 * Checks the ledgers of a store: each record alone and in the chain of its ledger, the models that
 * the records name, and the notes beside them.
 */
export async function checkLedgers(store: ObjectStore, around: Around): Promise<readonly Suspicion[]> {
  const found = await mapConcurrently(await ledgersIn(store), (name) => checkLedger(store, name, around))
  return found.flat()
}

async function checkLedger(store: ObjectStore, name: string, around: Around): Promise<readonly Suspicion[]> {
  const objects = await store.list(`ledgers/${name}/`)
  const numbers = objects
    .flatMap(({ path }) => /\/(\d{6,})\.json$/.exec(path)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
  const suspicions: Suspicion[] = []
  const earlier: Deletion[] = []
  for (const number of numbers) {
    const path = deletionPath(name, number)
    const bytes = await store.get(path)
    if (!bytes) continue
    const evidence = [{ path, found: sha256(bytes) }]
    const report = (what: string) => suspicions.push({ path, what, remedy: REMEDY, drop: [], evidence })
    const { data: record } = deletionSchema.safeParse(parseJson(bytes))
    if (!record || canonicalJson(record) !== new TextDecoder().decode(bytes)) {
      report('it is not the canonical JSON of a record of a deletion request')
      // The later records cannot be compared with this one.
      return suspicions
    }
    for (const flaw of [...deletionFlaws(record), ...chainFlaws(record, earlier)])
      report(`${flaw.path}: ${flaw.message}`)
    suspicions.push(...lostModels(path, record, evidence, around))
    suspicions.push(...(await notesFlaws(store, name, record)))
    earlier.push(record)
  }
  return suspicions
}

/** The models that a record names, and that neither the store nor a purge has. */
function lostModels(
  path: string,
  { model, number }: Deletion,
  evidence: Suspicion['evidence'],
  { blobs, purged }: Around,
): readonly Suspicion[] {
  const named = number === 1 ? [model.before, model.after] : [model.after]
  const lost = [...new Map(named.map((blob) => [blob.sha256, blob])).values()].filter(
    (blob) => !blobs.has(blobPath(blob)) && !purged.has(blob.sha256),
  )
  return lost.map((blob) => ({
    path: blobPath(blob),
    what: `it is missing, and ${path} names it as the model of request ${number}`,
    remedy: 'put back a copy of it, or compute the runs of the request again',
    drop: [],
    evidence: [...evidence, { path: blobPath(blob), found: undefined }],
  }))
}

/** Notes are optional. If they are there, their samples have the root in the record. */
async function notesFlaws(
  store: ObjectStore,
  name: string,
  { number, forgotten }: Deletion,
): Promise<readonly Suspicion[]> {
  const path = deletionNotesPath(name, number)
  const bytes = await store.get(path)
  if (!bytes) return []
  const { data: notes } = deletionNotesSchema.safeParse(parseJson(bytes))
  if (notes && rootOf(notes) === forgotten.root) return []
  const what = notes
    ? 'its samples and its salt do not have the root in the record'
    : 'it is no notes of a request'
  return [{ path, what, remedy: REMEDY, drop: [], evidence: [{ path, found: sha256(bytes) }] }]
}

function rootOf({ salt, samples }: DeletionNotes): string | undefined {
  return samples.length === 0
    ? undefined
    : merkleRoot(
        salt,
        samples.map(({ id }) => id),
      )
}
