import { utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { dateText } from '../../../../cli/output/format.ts'
import { gc } from '../../../../cli/actions/gc.ts'
import { UserError } from '../../../../common/errors.ts'
import { captureOutput, type CapturedOutput } from '../../../support/output.ts'
import { testDirectory } from '../../../support/directories.ts'

/** To the second, as some stores keep dates. */
const now = Math.floor(Date.now() / 1000) * 1000
let store: string
let stdout: CapturedOutput
beforeEach(() => {
  store = testDirectory()
  stdout = captureOutput('stdout')
})

async function blob(bytes: number, hours: number): Promise<string> {
  const { sha256 } = await openArtifacts(store).putBlob(new Uint8Array(bytes))
  const path = `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`
  age(path, hours)
  return path
}

function age(path: string, hours: number): void {
  const at = (now - hours * 3_600_000) / 1000
  utimesSync(fileURLToPath(openArtifacts(store).store.locate(path)), at, at)
}

test('what is unused is listed with the command that deletes it, then deleted', async () => {
  const old = await blob(1_234_000, 30)
  const young = await blob(500, 2)
  expect(await gc({ grace: '24h', store })).toBe(0)
  expect(stdout.text).toBe(
    [
      `Unused in ${store} (0 runs):`,
      '       COUNT     SIZE',
      'blobs      1  1.23 MB',
      'total         1.23 MB',
      `Unused as well, and written less than 24h before the newest object here (${dateText(now - 7_200_000)} UTC): ` +
        '0 stages, 1 blob, 500 B. --delete asks the store for the time, and deletes what is older than 24h by then.',
      '',
      `To delete it: ./zeroshift gc --delete --store ${store}`,
      '',
    ].join('\n'),
  )

  stdout.clear()
  expect(await gc({ grace: '24h', store, delete: true })).toBe(0)
  expect(stdout.text).toContain(`Deleted from ${store} (0 runs):`)
  expect((await openArtifacts(store).store.list('blobs/')).map(({ path }) => path)).toEqual([young])

  stdout.clear()
  await gc({ grace: '24h', store })
  expect(stdout.text).toContain(`Nothing older than 24h is unused in ${store} (0 runs).\n`)
  expect(old).not.toBe(young)
})

test('programs get the paths', async () => {
  const path = await blob(10, 3)
  await blob(7, 1)
  await gc({ grace: '90m', store, json: true })
  expect(JSON.parse(stdout.text)).toMatchObject({
    deleted: false,
    runs: 0,
    bytes: 10,
    garbage: { blobs: [path], stages: [] },
    younger: { stages: 0, blobs: 1, bytes: 7 },
  })
})

test.each(['', '24', 'h', '5m', '0d', '-1h', '1w', '1h 5m'])('--grace %j is refused', async (grace) => {
  await expect(gc({ grace, store, delete: true })).rejects.toThrow(UserError)
})
