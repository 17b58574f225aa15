import { z } from 'zod'
import { removals, type Inventory } from './inventory.ts'
import { pooled } from './pooled.ts'
import type { ObjectStore } from './store.ts'

/**
 * What a removal was to take with a run or a sweep. It is in the store from before the first deletion until the removal is done,
 * so that the same command finishes one that was interrupted, when no record tells any more what belonged to it.
 */
export type RemovalNote = z.output<typeof schema>

const schema = z.object({
  /** The cells of a sweep. */
  cells: z.array(
    z.object({
      id: z.string(),
      /** The date of its record: a run with another one was started again. Absent where it had no record. */
      written: z.number().optional(),
    }),
  ),
  /** The folders of the stages that its runs need. */
  stages: z.array(z.string()),
  /** The SHA-256s of the blobs that those name. */
  blobs: z.array(z.string()),
})

export const notePath = (id: string) => `${removals}${id}.json`

/** Those of these ids. A note that cannot be read is as good as none. */
export async function readNotes(
  store: ObjectStore,
  { objects }: Inventory,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RemovalNote>> {
  const there = new Set(objects.map(({ path }) => path))
  const found = await pooled(
    ids.filter((id) => there.has(notePath(id))),
    async (id) => {
      const bytes = await store.get(notePath(id))
      const note = bytes && schema.safeParse(parsed(bytes)).data
      return note ? [[id, note] as const] : []
    },
  )
  return new Map(found.flat())
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
