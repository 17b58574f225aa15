import { z } from 'zod'
import { digestOf } from '../../common/canonical.ts'
import { jsonBytes } from '../../common/json.ts'
import { removals } from './inventory.ts'
import { pooled } from '../../common/concurrency.ts'
import type { ObjectStore } from '../store/object-store.ts'

/**
 * What a removal was to take with a run or a sweep. It is in the store from before the first
 * deletion until the removal is done, so that the same command finishes one that was interrupted,
 * when no record tells any more what belonged to it.
 */
export type RemovalNote = z.output<typeof noteSchema>

/** By the id of the run or the sweep. */
export type RemovalNotes = ReadonlyMap<string, RemovalNote>

const noteSchema = z.object({
  /** The cells of a sweep. */
  cells: z.array(
    z.object({
      id: z.string(),
      /**
       * The date of its record: a run with another one was started again. Absent where it had no
       * record.
       */
      written: z.number().optional(),
    }),
  ),
  /** The folders of the stages that its runs need. */
  stages: z.array(z.string()),
  /** The SHA-256s of the blobs that those name. */
  blobs: z.array(z.string()),
})
/**
 * All ids of one command are in one object, so that all of them are known until none is needed any
 * more.
 */
const schema = z.record(z.string(), noteSchema)

/**
 * Those that removals left which were interrupted. An object that cannot be read is as good as
 * none.
 */
export async function readNotes(store: ObjectStore): Promise<RemovalNotes> {
  const files = await readFiles(store)
  return new Map(files.flatMap(({ notes }) => Object.entries(notes)))
}

export async function putNotes(store: ObjectStore, notes: RemovalNotes): Promise<void> {
  if (notes.size === 0) return
  const name = digestOf([...notes.keys()].sort()).slice(0, 16)
  await store.put(`${removals}${name}.json`, jsonBytes(Object.fromEntries(notes)))
}

/** Takes ids out of all notes, whichever command left them. */
export async function dropNotes(store: ObjectStore, ids: ReadonlySet<string>): Promise<void> {
  for (const { path, notes } of await readFiles(store)) {
    const left = Object.entries(notes).filter(([id]) => !ids.has(id))
    if (left.length === 0) await store.delete(path)
    else if (left.length < Object.keys(notes).length)
      await store.put(path, jsonBytes(Object.fromEntries(left)))
  }
}

async function readFiles(store: ObjectStore) {
  const objects = await store.list(removals)
  const files = await pooled(objects, async ({ path }) => {
    const bytes = await store.get(path)
    const notes = bytes && schema.safeParse(parsed(bytes)).data
    return notes ? [{ path, notes }] : []
  })
  return files.flat()
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
