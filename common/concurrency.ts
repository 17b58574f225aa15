const MOST_AT_ONCE = 16

/**
 * Applies work to all items, at most 16 at a time, and returns the results in order. This is enough
 * to hide the latency of a server without opening too many connections.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (const some of chunks(items, MOST_AT_ONCE)) results.push(...(await Promise.all(some.map(work))))
  return results
}

/** Divides items into groups of `size`, the last of which may be smaller. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}

/**
 * Divides items into groups that are processed in parallel. A group has at most `most` items and
 * `bytes` bytes in total. An item that is larger than `bytes` is a group of its own.
 */
export function batches<T extends { readonly bytes: number }>(
  items: readonly T[],
  { most, bytes }: { readonly most: number; readonly bytes: number },
): T[][] {
  const groups: T[][] = []
  let last: T[] = []
  let room = 0
  for (const item of items) {
    if (last.length === 0 || last.length === most || item.bytes > room) {
      last = []
      room = bytes
      groups.push(last)
    }
    last.push(item)
    room -= item.bytes
  }
  return groups
}

/** Like `Promise.all`, but rejects only after all promises have settled. */
export async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** Handles one item after the other: a store is no faster with hundreds of requests at once. */
export async function inOrder<T, R>(
  all: readonly T[],
  one: (item: T, i: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (const [i, item] of all.entries()) results.push(await one(item, i))
  return results
}
