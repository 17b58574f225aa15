import { tmpdir } from 'node:os'
import type { Client } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../../cli/server/temporal.ts'
import { UserError } from '../../../common/errors.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import { temporalSettings } from '../../../worker/temporal-settings.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { zeroshiftWith } from '../../support/command.ts'
import { recording } from '../../support/recording.ts'
import { sampleRun } from '../../support/run.ts'
import { thereAt, withWorker } from '../../support/temporal.ts'
import { temporalWithTls, whyNot } from '../../support/temporal-tls.ts'

type Secured = Awaited<ReturnType<typeof temporalWithTls>>

/** A client and a worker, both as the environment says, take a run to its end. */
async function ran({ address }: Secured, env: NodeJS.ProcessEnv, name: string): Promise<number> {
  const settings = temporalSettings(address, env)
  const { client, close } = await connect(thereAt(settings))
  try {
    const { computed } = await withWorker(settings, recording().activities, () => finished(client, name))
    return computed
  } finally {
    await close()
  }
}

function finished(client: Client, name: string): Promise<RunResult> {
  const input = sampleRun({ name })
  return client.workflow.execute<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [input],
  })
}

async function refusal({ address }: Secured, env: NodeJS.ProcessEnv): Promise<string> {
  const outcome = await connect(thereAt(temporalSettings(address, env))).then(
    async ({ close }) => {
      await close()
      return undefined
    },
    (error: unknown) => error,
  )
  if (!(outcome instanceof UserError)) throw new Error(`expected a refusal, found ${String(outcome)}`)
  return outcome.message
}

/** `zeroshift worker`, which waits for 300 s for a server that does not answer. */
async function workerRefusal({ address }: Secured, env: NodeJS.ProcessEnv): Promise<string> {
  const began = performance.now()
  const { code, stderr } = await zeroshiftWith(env, tmpdir(), 'worker', '--temporal', address).ended
  expect([code, stderr]).toEqual([2, expect.any(String)])
  expect(performance.now() - began).toBeLessThan(100_000)
  return stderr
}

describe.skipIf(whyNot)(`a Temporal server that asks for certificates${whyNot}`, () => {
  let server: Secured
  beforeAll(async () => {
    server = await temporalWithTls('certificates')
  })
  afterAll(() => server.stop())

  test('runs what a client and a worker with certificates ask for', async () => {
    expect(await ran(server, server.env, 'with-certificates')).toBeGreaterThan(0)
  })

  test('is reached by a name of its certificate, and by no other', async () => {
    const named = (name: string) => ({ ...server.env, ZEROSHIFT_TEMPORAL_TLS_SERVER_NAME: name })
    expect(await ran(server, named('temporal.test'), 'by-name')).toBeGreaterThan(0)
    expect(await refusal(server, named('other.test'))).toMatch(
      /no Temporal server answers at 127.* by TLS \(/,
    )
  })

  test('lets nobody in without a certificate, or with a stranger’s', async () => {
    const { ZEROSHIFT_TEMPORAL_TLS_CA_FILE } = server.env
    expect(await refusal(server, { ZEROSHIFT_TEMPORAL_TLS_CA_FILE })).toMatch(/no Temporal server answers/)
    const strange = {
      ZEROSHIFT_TEMPORAL_TLS_CA_FILE,
      ZEROSHIFT_TEMPORAL_TLS_CERT_FILE: server.stranger.certificate,
      ZEROSHIFT_TEMPORAL_TLS_KEY_FILE: server.stranger.key,
    }
    expect(await refusal(server, strange)).toMatch(/no Temporal server answers/)
  })

  test('ends a worker whose certificate it refuses, or that does not trust the server', async () => {
    const { ZEROSHIFT_TEMPORAL_TLS_CA_FILE, ...others } = server.env
    const strange = {
      ZEROSHIFT_TEMPORAL_TLS_CA_FILE,
      ZEROSHIFT_TEMPORAL_TLS_CERT_FILE: server.stranger.certificate,
      ZEROSHIFT_TEMPORAL_TLS_KEY_FILE: server.stranger.key,
    }
    expect(await workerRefusal(server, strange)).toMatch(
      /does not let the certificate in \(.*\); check ZEROSHIFT_TEMPORAL_TLS_CERT_FILE/,
    )
    expect(await workerRefusal(server, { ZEROSHIFT_TEMPORAL_TLS_CA_FILE })).toMatch(
      /does not let anybody without a certificate in/,
    )
    expect(await workerRefusal(server, others)).toMatch(
      /the certificate of the Temporal server at .* is not trusted \(/,
    )
  })

  test('is not taken for what it is without its authority, or without TLS', async () => {
    const { ZEROSHIFT_TEMPORAL_TLS_CA_FILE: _, ...others } = server.env
    expect(await refusal(server, others)).toMatch(/no Temporal server answers at 127.* by TLS \(/)
    expect(await refusal(server, {})).toMatch(/no Temporal server answers/)
  })
})

describe.skipIf(whyNot)(`a Temporal server that asks for API keys${whyNot}`, () => {
  let server: Secured
  beforeAll(async () => {
    server = await temporalWithTls('keys')
  })
  afterAll(() => server.stop())

  const withKey = (ZEROSHIFT_TEMPORAL_API_KEY: string | undefined, namespace?: string) => ({
    ...server.env,
    ZEROSHIFT_TEMPORAL_API_KEY,
    TEMPORAL_NAMESPACE: namespace,
  })

  test('runs what a client and a worker with a key ask for', async () => {
    expect(await ran(server, server.env, 'with-a-key')).toBeGreaterThan(0)
  })

  test('runs it in the namespace that the key is for, and in no other', async () => {
    const key = server.token(['other:write', 'other:worker'])
    expect(await ran(server, withKey(key, 'other'), 'elsewhere')).toBeGreaterThan(0)
    expect(await refusal(server, withKey(key))).toMatch(
      /does not let the API key into the namespace 'default'/,
    )
    expect(await refusal(server, withKey(undefined))).toMatch(/does not let anybody without a key/)
    expect(await refusal(server, withKey('made-up'))).toMatch(/does not let the API key in/)
  })

  test('ends a worker whose key it refuses', async () => {
    expect(await workerRefusal(server, withKey('made-up'))).toMatch(
      /does not let the API key into the namespace 'default'/,
    )
    expect(await workerRefusal(server, withKey(server.token(['other:write', 'other:worker'])))).toMatch(
      /does not let the API key into the namespace 'default'/,
    )
    const admin = server.token(['temporal-system:admin'])
    expect(await workerRefusal(server, withKey(admin, 'nowhere'))).toMatch(/has no namespace 'nowhere'/)
  })

  test('says no more of a namespace that is not there than of one that the key is not for', async () => {
    expect(await refusal(server, withKey(server.token(['temporal-system:admin']), 'nowhere'))).toMatch(
      /has no namespace 'nowhere'/,
    )
    expect(await refusal(server, withKey(server.token(['other:read']), 'nowhere'))).toMatch(/does not let/)
  })
})
