import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { gc } from '../../../cli/gc.ts'
import { UserError } from '../../../experiment/errors.ts'

let store: string
let said: string
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'zeroshift-gc-'))
  said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += chunk.toString()
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(store, { recursive: true, force: true })
})

async function blob(bytes: number, hours: number): Promise<string> {
  const artifacts = openArtifacts(store)
  const { sha256 } = await artifacts.putBlob(new Uint8Array(bytes))
  const path = `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`
  const at = Date.now() / 1000 - hours * 3600
  utimesSync(fileURLToPath(artifacts.store.locate(path)), at, at)
  return path
}

test('what is unused is listed with the command that deletes it, then deleted', async () => {
  const old = await blob(1_234_000, 30)
  const young = await blob(500, 2)
  expect(await gc({ grace: '24h', store })).toBe(0)
  expect(said).toBe(
    [
      `Unused in ${store} (0 runs):`,
      '       COUNT     SIZE',
      'blobs      1  1.23 MB',
      'total         1.23 MB',
      '',
      `To delete it: ./zeroshift gc --delete --store ${store}`,
      '',
    ].join('\n'),
  )

  said = ''
  expect(await gc({ grace: '24h', store, delete: true })).toBe(0)
  expect(said).toContain(`Deleted from ${store} (0 runs):`)
  expect((await openArtifacts(store).store.list('blobs/')).map(({ path }) => path)).toEqual([young])

  said = ''
  await gc({ grace: '24h', store })
  expect(said).toBe(`Nothing older than 24h is unused in ${store} (0 runs).\n`)
  expect(old).not.toBe(young)
})

test('programs get the paths', async () => {
  const path = await blob(10, 3)
  await gc({ grace: '90m', store, json: true })
  expect(JSON.parse(said)).toMatchObject({
    deleted: false,
    runs: 0,
    bytes: 10,
    garbage: { blobs: [path], stages: [] },
  })
})

test.each(['', '24', 'h', '5m', '0d', '-1h', '1w', '1h 5m'])('--grace %j is refused', async (grace) => {
  await expect(gc({ grace, store, delete: true })).rejects.toThrow(UserError)
})
