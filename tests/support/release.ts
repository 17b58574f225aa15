type Release = () => unknown
type Server = { stop(): Promise<unknown> } | { close(): Promise<unknown> }

const releases: Release[] = []

/** Releases what the file used. `setup.ts` calls it after the hooks of the file. */
export async function releaseAll(): Promise<void> {
  const failures: unknown[] = []
  for (const release of releases.splice(0).reverse())
    try {
      await release()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0)
    throw new AggregateError(failures, 'not everything that the file used was released')
}

/** Calls a function after the last test of the file. Functions are called in reverse order. */
export function afterFile(release: Release): void {
  releases.push(release)
}

/** Waits until a server has started, and stops it after the last test of the file. */
export async function forFile<T extends Server>(starting: Promise<T>): Promise<T> {
  const server = await starting
  afterFile(() => ('stop' in server ? server.stop() : server.close()))
  return server
}
