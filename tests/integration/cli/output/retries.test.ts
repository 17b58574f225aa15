import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createActivities } from '../../../../activities/index.ts'
import { smallConfig, zeroshiftWith } from '../../../support/command.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { forFile } from '../../../support/release.ts'
import { s3Proxy } from '../../../support/s3-proxy.ts'
import { s3Server, type TestS3 } from '../../../support/s3.ts'
import { temporalServer, type TestTemporal, withWorker } from '../../../support/temporal.ts'

let directory: string
let server: TestTemporal
beforeAll(async () => {
  directory = fileDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  server = await forFile(temporalServer())
})
afterAll(() => {
  vi.unstubAllEnvs()
})

interface Status {
  readonly progress?: {
    readonly retries: readonly {
      readonly stage: string
      readonly reason: string
      readonly attempt: number
      readonly nextAttempt: string | null
    }[]
  }
}

async function statusOf(id: string, env: NodeJS.ProcessEnv): Promise<Status> {
  const { stdout } = await zeroshiftWith(env, directory, 'status', id, '--json').ended
  return JSON.parse(stdout) as Status
}

test('a store that is away: the command says what is tried again and why, and goes on when it is back', async () => {
  const s3: TestS3 = await s3Server()
  let isAway = false
  const proxy = await s3Proxy(s3.endpoint, () =>
    isAway ? { answer: { status: 503, code: 'ServiceUnavailable' } } : {},
  )
  const env = {
    ...s3.env,
    AWS_ENDPOINT_URL_S3: proxy.url,
    AWS_MAX_ATTEMPTS: '1',
    TEMPORAL_ADDRESS: server.address,
    ZEROSHIFT_STORE: `s3://${s3.bucket}/runs`,
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    await withWorker(server.address, createActivities(), async () => {
      const command = zeroshiftWith(env, directory, 'run', 'small.yaml', '-S', 'training.epochs=20')
      await command.says('train original')
      isAway = true
      await command.says('It is tried again: attempt')
      const { stdout: listed } = await zeroshiftWith(env, directory, 'status', '--json').ended
      const { runs } = JSON.parse(listed) as { readonly runs: readonly [{ readonly id: string }] }
      const [{ id }] = runs
      await expect
        .poll(async () => (await statusOf(id, env)).progress?.retries ?? [], { timeout: 60_000 })
        .toContainEqual({
          stage: expect.stringMatching(/^train /) as string,
          reason: expect.stringContaining('as told') as string,
          attempt: expect.any(Number) as number,
          nextAttempt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        })
      const { stdout: shown } = await zeroshiftWith(env, directory, 'status', id).ended
      expect(shown).toMatch(/train \w+: attempt \d+ failed: .*as told/)
      isAway = false
      const { code, stdout } = await command.ended
      expect(code).toBe(0)
      const lines = stdout.split('\n').filter((line) => line.includes('It is tried again'))
      expect(lines[0]).toMatch(
        /^train (original|gold.*): attempt \d+ failed: .*as told.*\. It is tried again: attempt \d+ (begins in \d+(\.\d)? s|is under way)$/,
      )
      // Once for each stage and reason.
      expect(new Set(lines.map((line) => line.replace(/\d+(\.\d)?/g, '#'))).size).toBe(lines.length)
    })
  } finally {
    vi.unstubAllEnvs()
    await proxy.close()
    await s3.stop()
  }
})

test('an MLflow that is away is named while the run goes on', async () => {
  const mlflow = createServer((_, answer) => {
    answer.writeHead(503).end('away')
  })
  mlflow.listen(0, '127.0.0.1')
  await once(mlflow, 'listening')
  const uri = `http://127.0.0.1:${(mlflow.address() as AddressInfo).port}`
  const env = { TEMPORAL_ADDRESS: server.address, ZEROSHIFT_STORE: join(directory, 'tracked') }
  try {
    await withWorker(server.address, createActivities(), async () => {
      const more = ['-S', 'training.epochs=200', '-S', `tracking.uri=${uri}`]
      const command = zeroshiftWith(env, directory, 'run', 'small.yaml', ...more)
      await command.says('tracking in MLflow: attempt')
      const { stdout } = await command.ended
      expect(stdout).toMatch(/tracking in MLflow: attempt \d+ failed: .*503/)
    })
  } finally {
    mlflow.closeAllConnections()
    mlflow.close()
  }
})
