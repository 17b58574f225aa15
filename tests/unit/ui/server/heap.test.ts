import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../../support/listened-poller.ts', import.meta.url))

interface Measured {
  /** The heap in bytes after equal numbers of snapshots. */
  readonly heap: readonly number[]
  /** What the present streams got until then. */
  readonly bytes: readonly number[]
  /** The clients that were dropped. */
  readonly lost: number
  readonly clients: number
}

it('keeps the heap flat over 2,000 snapshots for clients that read, read slowly and do not read', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--expose-gc', '--import', 'tsx', program],
    ...['2000', '8'],
  ])
  const { heap, bytes, lost, clients } = JSON.parse(stdout) as Measured
  expect(clients).toBe(20)
  // The client that never reads was dropped and came back several times.
  expect(lost).toBeGreaterThan(10)
  // The other clients got events until the end.
  for (const [i, sum] of bytes.entries()) expect(sum).toBeGreaterThan(bytes[i - 1] ?? 0)
  const [, warm = NaN] = heap
  for (const later of heap.slice(2)) expect(later / warm).toBeLessThan(1.1)
})
