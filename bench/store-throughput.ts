/**
 * Writes and reads 1 GB through Artifacts, including its SHA-256, and with the bare SDK as its
 * documentation shows it: lib-storage's Upload, and GetObject with transformToByteArray. Both use
 * the same S3 server in turns, and the read cache is off. Prints medians of the ratios of
 * neighbouring runs.
 *
 *     node --import tsx bench/store-throughput.ts [ROUNDS]
 *
 * Starts a versitygw on a temporary directory, which needs up to 5 GB of disk and as much memory.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes, randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3 } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Artifacts } from '../artifacts/artifacts.ts'
import { openStore } from '../artifacts/store/open-store.ts'
import { ensureVersitygw } from '../infra/versitygw.mjs'
import { startS3Server } from '../stack/s3-server.ts'
import { freePort } from '../host/free-port.ts'

const bytes = 1e9
const rounds = Number(process.argv[2] ?? 7)

const directory = mkdtempSync(join(tmpdir(), 'zeroshift-bench-'))
const credentials = { accessKeyId: 'bench', secretAccessKey: randomBytes(20).toString('hex') }
const server = await startS3Server({
  ...{ versitygw: await ensureVersitygw(), directory, bucket: 'bench', port: await freePort(), credentials },
  log: join(tmpdir(), 'zeroshift-bench.log'),
})
Object.assign(process.env, {
  AWS_ENDPOINT_URL_S3: server.endpoint,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
})
try {
  const artifacts = new Artifacts(openStore('s3://bench'))
  const [Bucket, Key] = ['bench', 'bare']
  const sdk = new S3({
    ...{ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })

  const body = Buffer.allocUnsafeSlow(bytes)
  const seconds: Record<'put' | 'barePut' | 'get' | 'bareGet', number[]> = {
    ...{ put: [], barePut: [], get: [], bareGet: [] },
  }
  const timed = async <T>(what: keyof typeof seconds, work: () => Promise<T>): Promise<T> => {
    // Otherwise each run would wait for the disk to write the data of the previous one.
    execFileSync('sync')
    const start = performance.now()
    const result = await work()
    seconds[what].push((performance.now() - start) / 1000)
    return result
  }

  // The first round is a warm-up and does not count.
  for (let round = 0; round <= rounds; round++) {
    randomFillSync(body)
    const ours = async () => {
      const blob = await timed('put', () => artifacts.putBlob(body))
      const back = await timed('get', () => artifacts.getBlob(blob))
      if (!body.equals(back)) throw new Error('other bytes came back')
      await artifacts.deleteBlob(blob)
    }
    const bare = async () => {
      await timed('barePut', () => new Upload({ client: sdk, params: { Bucket, Key, Body: body } }).done())
      const back = await timed('bareGet', async () => {
        const { Body } = await sdk.getObject({ Bucket, Key })
        return Body?.transformToByteArray()
      })
      if (back?.length !== bytes) throw new Error('other bytes came back')
      await sdk.deleteObject({ Bucket, Key })
    }
    // The sides alternate, since the first one has an emptier page cache.
    for (const side of round % 2 ? [bare, ours] : [ours, bare]) await side()
    if (round === 0) for (const list of Object.values(seconds)) list.length = 0
  }

  const median = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
  const ratios = (bare: readonly number[], own: readonly number[]) => bare.map((s, i) => s / (own[i] ?? NaN))
  for (const [name, own, bare] of [
    ['put', seconds.put, seconds.barePut],
    ['get', seconds.get, seconds.bareGet],
  ] as const) {
    const all = ratios(bare, own)
    const span = [Math.min(...all), Math.max(...all)].map((ratio) => `${Math.round(100 * ratio)}%`)
    console.log(
      `${name}: ${Math.round(bytes / 1e6 / median(own))} MB/s, the bare SDK ${Math.round(bytes / 1e6 / median(bare))} MB/s; ` +
        `median of ${all.length} ratios ${Math.round(100 * median(all))}% (${span.join(' to ')})`,
    )
  }
} finally {
  await server.stop()
  rmSync(directory, { recursive: true })
}
