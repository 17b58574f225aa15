import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { garbage } from '../../artifacts/removal/gc.ts'
import { takeInventory } from '../../artifacts/removal/inventory.ts'
import { campaign, figure } from '../support/campaign.ts'
import { testDirectory } from '../support/directories.ts'
import { leftovers, Site } from '../support/durable.ts'
import { sixCells, startSweep } from '../support/fault-sweep.ts'
import { hostsPossible, network } from '../support/hosts.ts'
import { forFile } from '../support/release.ts'
import { s3Server, type TestS3 } from '../support/s3.ts'

let directory: string
let site: Site
let s3: TestS3
const own = { ...process.env }
beforeAll(async () => {
  s3 = await forFile(s3Server())
  Object.assign(process.env, s3.env)
})
afterAll(() => {
  for (const name of Object.keys(s3.env))
    if (own[name] === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = own[name]
})
beforeEach(async () => {
  directory = testDirectory()
  site = await new Site().open()
})
afterEach(async () => {
  await site.close()
})

const SECONDS = campaign ? 20 : 8

test.skipIf(!hostsPossible)(
  `one of two hosts loses S3 for ${SECONDS} s, then the other Temporal: nothing is lost, and nothing is there twice${hostsPossible ? '' : ' (skipped: network namespaces are not permitted here)'}`,
  async () => {
    const port = (address: string) => Number(new URL(address).port)
    const services = { temporal: port(`http://${site.address}`), s3: port(s3.endpoint) }
    const net = await network(2, services)
    try {
      for (const host of net.hosts)
        await site.worker({
          address: host.address('temporal'),
          exec: host.exec,
          env: {
            AWS_ENDPOINT_URL_S3: `http://${host.address('s3')}`,
            ZEROSHIFT_BLOB_CACHE_GB: '0',
          },
        })
      const config = sixCells(directory)
      const quiet = await startSweep(site, config, `s3://${s3.bucket}/quiet`)
      const expected = await quiet.result
      expect(expected).toMatchObject({ cells: 6, done: 6, failures: [] })

      const [first, second] = net.hosts
      const { store, result } = await startSweep(site, config, `s3://${s3.bucket}/parted`)
      let isOver = false
      result.finally(() => (isOver = true)).catch(() => undefined)
      let partitions = 0
      for (const [host, service] of [
        [first, 's3'],
        [second, 'temporal'],
      ] as const) {
        await sleep(3000)
        if (isOver) break
        host?.lose(service)
        expect(host?.reaches(service)).toBe(false)
        partitions++
        await sleep(1000 * SECONDS)
        host?.find(service)
        expect(host?.reaches(service)).toBe(true)
      }
      const { digest, done, failures } = await result
      figure('partition', { partitions, cells: done, seconds: SECONDS })
      expect(partitions).toBe(2)
      expect(failures).toEqual([])
      expect(digest).toBe(expected.digest)
      const artifacts = openArtifacts(store)
      expect(await leftovers(artifacts)).toEqual([])
      // Every blob is one that a manifest of the sweep names.
      expect(garbage(await takeInventory(artifacts.store), -1)).toMatchObject({ stages: [], blobs: [] })
    } finally {
      net.close()
    }
  },
)
