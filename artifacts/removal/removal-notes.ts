import { z } from 'zod'
import { digestOf } from '../../common/canonical.ts'
import { jsonBytes, parseJson } from '../../common/json.ts'
import { removalsFolder } from './inventory.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import type { ObjectStore } from '../store/object-store.ts'

/**
 * The parts of a store that are removed with a run or a sweep. A note is written before the first
 * deletion and deleted after the last one. With it, the same command can finish an interrupted
 * removal although the records, which tell what belongs to the run or sweep, are gone.
 */
export type RemovalNote = z.output<typeof noteSchema>

/** Notes by the id of the run or the sweep. */
export type RemovalNotes = ReadonlyMap<string, RemovalNote>

const noteSchema = z.object({
  /** The cells of a sweep. */
  cells: z.array(
    z.object({
      id: z.string(),
      /**
       * The date of its record, if it had one. A record with another date shows that the run was
       * started again.
       */
      written: z.number().optional(),
    }),
  ),
  /** The folders of the stages that the runs need. */
  stages: z.array(z.string()),
  /** The SHA-256s of the blobs of these stages. */
  blobs: z.array(z.string()),
})
/**
 * The contents of an object in `removals/`: the notes of all ids of one command. They are in one
 * object, so that none of them is lost before the command is done.
 */
const schema = z.record(z.string(), noteSchema)

/** The notes of all unfinished removals. An object that is not valid is ignored. */
export async function readNotes(store: ObjectStore): Promise<RemovalNotes> {
  const files = await readFiles(store)
  return new Map(files.flatMap(({ notes }) => Object.entries(notes)))
}

/** Writes the notes of one command. */
export async function putNotes(store: ObjectStore, notes: RemovalNotes): Promise<void> {
  if (notes.size === 0) return
  const name = digestOf([...notes.keys()].sort()).slice(0, 16)
  await store.put(`${removalsFolder}${name}.json`, jsonBytes(Object.fromEntries(notes)))
}

/** Deletes the notes of these ids, whichever command wrote them. */
export async function deleteNotes(store: ObjectStore, ids: ReadonlySet<string>): Promise<void> {
  for (const { path, notes } of await readFiles(store)) {
    const left = Object.entries(notes).filter(([id]) => !ids.has(id))
    if (left.length === 0) await store.delete(path)
    else if (left.length < Object.keys(notes).length)
      await store.put(path, jsonBytes(Object.fromEntries(left)))
  }
}

async function readFiles(store: ObjectStore) {
  const objects = await store.list(removalsFolder)
  const files = await mapConcurrently(objects, async ({ path }) => {
    const bytes = await store.get(path)
    const notes = bytes && schema.safeParse(parseJson(bytes)).data
    return notes ? [{ path, notes }] : []
  })
  return files.flat()
}
