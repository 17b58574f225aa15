import { afterAll } from 'vitest'

type Release = () => unknown

const releases: Release[] = []

// Hooks that end a file run in reverse order, so this one runs after those of the file itself.
afterAll(async () => {
  const failures: unknown[] = []
  for (const release of releases.splice(0).reverse())
    try {
      await release()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw new AggregateError(failures, 'resources of the tests were not released')
})

/** Calls a function once all tests of the file have ended. The last one given is called first. */
export function afterFile(release: Release): void {
  releases.push(release)
}

/** Waits for a server to start, and stops it once all tests of the file have ended. */
export async function forFile<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const server = await starting
  afterFile(() => server.stop())
  return server
}
