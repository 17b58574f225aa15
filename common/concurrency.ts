/** A few at a time: enough to hide a server's latency, few enough to open no flood of connections. */
export async function pooled<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const some of chunks(items, 16)) results.push(...(await Promise.all(some.map(work))))
  return results
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}

/**
 * Groups of items that are worked on side by side: at most `most` of them, and of at most so many bytes together. An item
 * that is larger is a group of its own.
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

/** As Promise.all, but it rejects only after all of the promises have settled. */
export async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
