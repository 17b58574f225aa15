import { randomUUID } from 'node:crypto'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** The folder of temporary objects that test a store or read its clock. */
export const probesFolder = 'doctor/'

/**
 * The time by the store's clock, in milliseconds since 1970. It is the date of an object that is
 * written for this purpose and deleted. Deletions by age use this clock, never that of this
 * machine.
 */
export async function storeClock(store: ObjectStore): Promise<number> {
  const path = `${probesFolder}clock-${randomUUID()}`
  await store.put(path, new TextEncoder().encode('clock'))
  try {
    const probe = (await store.list(probesFolder)).find((object) => object.path === path)
    if (!probe) throw new Error(`${store.locate(path)} was written and is not listed; expected it to be`)
    return probe.modified
  } finally {
    await store.delete(path)
  }
}

/**
 * The date of the newest object, or 0 if there is none. Where nothing may be written, it stands for
 * the time by the store's clock. It is never later than that time, so ages are never overstated.
 */
export function newestDate(objects: readonly StoredObject[]): number {
  return objects.reduce((newest, { modified }) => Math.max(newest, modified), 0)
}
