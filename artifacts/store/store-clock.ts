import { randomUUID } from 'node:crypto'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** Objects that are written to try a store, or to ask it for its time. */
export const probes = 'doctor/'

/**
 * Milliseconds since 1970, by the store's clock: the date of an object that is written now and
 * deleted. What deletes by age asks this clock, never that of this machine.
 */
export async function storeClock(store: ObjectStore): Promise<number> {
  const path = `${probes}clock-${randomUUID()}`
  await store.put(path, new TextEncoder().encode('clock'))
  try {
    const probe = (await store.list(probes)).find((object) => object.path === path)
    if (!probe) throw new Error(`${store.locate(path)} was written and is not listed; expected it to be`)
    return probe.modified
  } finally {
    await store.delete(path)
  }
}

/**
 * The same without a write, for looking at a store: the date of its newest object. It is never
 * later than the store's time, so that ages are understated at most. 0 for an empty store.
 */
export function newestDate(objects: readonly StoredObject[]): number {
  return objects.reduce((newest, { modified }) => Math.max(newest, modified), 0)
}
