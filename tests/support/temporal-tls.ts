import { createSign, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { stringify } from 'yaml'
import { presentTemporalServer } from '../../infra/temporal-server.mjs'
import { freePort } from '../../host/free-port.ts'
import { startGuarded } from '../../stack/server.ts'
import { temporalSettings } from '../../worker/temporal-settings.ts'
import { authority, openssl } from './certificates.ts'
import { serving } from './serving.ts'

const program = presentTemporalServer()

export const whyNot =
  program === undefined
    ? ' (skipped without a Temporal server that speaks TLS: node infra/bootstrap.mjs --with-tls)'
    : openssl === undefined
      ? ' (skipped without openssl)'
      : ''

/**
 * The clients that the server accepts: those with a certificate of its authority, or with an API
 * key that it signed.
 */
export type Access = 'certificates' | 'keys'

/**
 * Starts a real Temporal server (not the dev server) in memory that accepts TLS only, with the
 * namespaces `default` and `other`.
 */
export async function temporalWithTls(access: Access) {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-temporal-tls-'))
  const ours = authority(directory, 'ours')
  const server = ours.sign('server', ['DNS:temporal.test', 'IP:127.0.0.1'])
  const signer = await keyServer()
  const ports = { frontend: await freePort(), ...(await innerPorts()) }
  mkdirSync(join(directory, 'config'))
  writeFileSync(
    join(directory, 'config', 'test.yaml'),
    stringify(
      configOf(ports, {
        tls: {
          frontend: {
            server: {
              certFile: server.certificate,
              keyFile: server.key,
              ...(access === 'certificates' && {
                requireClientAuth: true,
                clientCaFiles: [ours.certificate],
              }),
            },
          },
        },
        ...(access === 'keys' && {
          authorization: {
            authorizer: 'default',
            claimMapper: 'default',
            permissionsClaimName: 'permissions',
            jwtKeyProvider: { keySourceURIs: [signer.url], refreshInterval: '1m' },
          },
        }),
      }),
    ),
  )
  const running = startGuarded({
    program: program ?? '',
    args: [
      ...['--root', directory, '--config', 'config', '--env', 'test', '--allow-no-auth', 'start'],
      ...['frontend', 'internal-frontend', 'history', 'matching', 'worker'].flatMap((s) => ['--service', s]),
    ],
    log: join(directory, 'server.log'),
  })
  const address = `127.0.0.1:${ports.frontend}`
  const client = ours.sign('client')
  const stranger = authority(directory, 'theirs').sign('stranger')
  /** What the environment has to say. */
  const env = {
    ZEROSHIFT_TEMPORAL_TLS_CA_FILE: ours.certificate,
    ...(access === 'certificates'
      ? {
          ZEROSHIFT_TEMPORAL_TLS_CERT_FILE: client.certificate,
          ZEROSHIFT_TEMPORAL_TLS_KEY_FILE: client.key,
        }
      : { ZEROSHIFT_TEMPORAL_API_KEY: signer.token(['default:write', 'default:worker']) }),
  }
  const stop = async () => {
    await running.stop()
    await signer.close()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await prepared(address, {
      ...env,
      ...(access === 'keys' && { ZEROSHIFT_TEMPORAL_API_KEY: signer.token(['temporal-system:admin']) }),
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { address, directory, env, stranger, authority: ours.certificate, token: signer.token, stop }
}

async function innerPorts() {
  const ports: number[] = []
  // One after the other from there on: none is bound yet.
  for (let from = 20_000 + (process.pid % 20_000); ports.length < 9; from = (ports.at(-1) ?? from) + 1)
    ports.push(await freePort(from))
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = ports
  return { frontendMembership: a, inner: [b, c], history: [d, e], matching: [f, g], worker: [h, i] } as const
}

function configOf(
  {
    frontend,
    frontendMembership,
    inner,
    history,
    matching,
    worker,
  }: Awaited<ReturnType<typeof innerPorts>> & { frontend: number },
  secured: object,
) {
  const sql = {
    pluginName: 'sqlite',
    databaseName: 'default',
    connectAddr: 'localhost',
    connectProtocol: 'tcp',
    connectAttributes: { mode: 'memory', cache: 'private' },
    ...{ maxConns: 1, maxIdleConns: 1, maxConnLifetime: '1h' },
  }
  const rpc = ([grpcPort, membershipPort]: readonly number[]) => ({
    rpc: { grpcPort, membershipPort, bindOnLocalHost: true },
  })
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      ...{ defaultStore: 'main', visibilityStore: 'seen', numHistoryShards: 1 },
      datastores: { main: { sql }, seen: { sql } },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' }, ...secured },
    services: {
      frontend: rpc([frontend, frontendMembership]),
      'internal-frontend': rpc(inner),
      history: rpc(history),
      matching: rpc(matching),
      worker: rpc(worker),
    },
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: 'active', currentClusterName: 'active' },
      clusterInformation: {
        active: {
          ...{ enabled: true, initialFailoverVersion: 1, rpcName: 'frontend' },
          rpcAddress: `127.0.0.1:${frontend}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
  }
}

/** Makes the namespaces, and waits until all parts of the server know them. */
async function prepared(address: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { tls, apiKey } = temporalSettings(address, env)
  const options = {
    address,
    connectTimeout: 1000,
    ...(tls && { tls }),
    ...(apiKey !== undefined && { apiKey }),
  }
  const connection = await eventually(() => Connection.connect(options))
  try {
    for (const namespace of ['default', 'other']) {
      await eventually(() =>
        connection.workflowService
          .registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } })
          .catch((error: unknown) => {
            const isThere = (error as { code?: number }).code === 6
            if (!isThere) throw error
          }),
      )
      await eventually(() => new Client({ connection, namespace }).workflow.count())
    }
  } finally {
    await connection.close()
  }
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 90_000; ;)
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(200)
    }
}

/** Signs API keys, and answers with the public key by which a server tells them. */
async function keyServer() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' }
  const { url, close } = await serving((_, answer) => answer.end(JSON.stringify({ keys: [jwk] })))
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    url: `${url}/keys.json`,
    token: (permissions: readonly string[]) => {
      const claims = { sub: 'tests', permissions, exp: Math.floor(Date.now() / 1000) + 3600 }
      const text = `${encoded({ alg: 'RS256', kid: 'test', typ: 'JWT' })}.${encoded(claims)}`
      return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`
    },
    close,
  }
}
