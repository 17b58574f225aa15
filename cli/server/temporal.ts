import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ConnectionOptions } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { payloadKeys } from '../../worker/payload-keys.ts'
import { NOT_FOUND, noAccess, noNamespace, refusals } from '../../worker/refusals.ts'
import { startStack } from '../../stack/stack.ts'
import { temporalSettings, type TemporalSettings } from '../../worker/temporal-settings.ts'
import { refuseWithoutDriver } from './gpu.ts'
import { home, noteStack, runningStack } from '../workspace/workspace.ts'
import { causeOf, errorReason } from './unwrap-error.ts'
import { traceInterceptors } from './command-span.ts'
import { refuseUnusableCache } from '../launch/usable-store.ts'
import { refuseWorkerSettings } from './worker-settings.ts'

/** The Temporal server that a command uses. */
export interface Server extends TemporalSettings {
  /** Whether the server was started for this command and stops with it. */
  readonly embedded: boolean
  /**
   * Resolves when an embedded worker asks for tasks. Resolved at once for a server with other
   * workers.
   */
  readonly ready: Promise<void>
  /** Rejects when an embedded server or worker has ended for good. Never resolves. */
  readonly broken: Promise<never>
  stop(): Promise<void>
}

/**
 * Returns a server that exists already: the one that is named, or the stack of `zeroshift up` here.
 */
export function existingServer(option: string | undefined): Server | undefined {
  const stack = runningStack()
  const address = option ?? process.env.TEMPORAL_ADDRESS ?? (stack?.shared ? stack.address : undefined)
  if (address === undefined) return undefined
  return {
    ...connectionSettings(address),
    embedded: false,
    ready: Promise.resolve(),
    broken: new Promise<never>(() => undefined),
    stop: () => Promise.resolve(),
  }
}

/**
 * Returns how to connect to a server. A server that Zeroshift started in this directory uses no
 * TLS; for any other server the environment decides.
 */
export function connectionSettings(address: string): TemporalSettings {
  return address === runningStack()?.address ? { address } : temporalSettings(address)
}

/**
 * Refuses settings that would prevent an embedded server or worker from starting. Throws a
 * UserError.
 */
export async function refuseUnableToStart({ withWorker = true } = {}): Promise<void> {
  payloadKeys()
  if (withWorker) refuseWorkerSettings()
  await refuseUnusableCache()
  if (withWorker) refuseWithoutDriver()
}

/** Starts a server, and a worker unless `withWorker` is false, for this command alone. */
export async function embeddedServer({
  withWorker = true,
  onNote,
}: {
  readonly withWorker?: boolean
  readonly onNote?: (message: string) => void
}): Promise<Server> {
  await refuseUnableToStart({ withWorker })
  const stack = await startStack({
    directory: home,
    temporal: await ensureTemporal(),
    withWorker,
    ...(onNote && { onNote }),
  })
  const forget =
    stack.durable && withWorker ? noteStack({ address: stack.address, shared: false }) : () => undefined
  return {
    address: stack.address,
    embedded: true,
    ready: stack.ready,
    broken: stack.broken,
    async stop() {
      forget()
      await stack.stop()
    },
  }
}

export interface Connected {
  readonly client: Client
  readonly close: () => Promise<void>
}

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number]

/**
 * Returns an interceptor that drops calls after the end. The SDK retries a failed call by a timer.
 * If that timer fires after the channel was closed, the process ends with an error that nothing can
 * catch.
 */
function silentOnce(isClosed: () => boolean): Interceptor {
  const none = () => undefined
  const silent = { start: none, sendMessage: none, halfClose: none, cancelWithStatus: none }
  return (options, nextCall) =>
    (isClosed() ? silent : nextCall(options)) as unknown as ReturnType<Interceptor>
}

/**
 * Connects a client to the server. The SDK is loaded here, so that a server and a worker can be
 * started before that. An embedded server has 60 s to come up, another server 3 s.
 */
export async function connect(server: Server): Promise<Connected> {
  const { address, embedded, broken, tls, apiKey, namespace = 'default' } = server
  const [{ Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor }, { dataConverter }] =
    await Promise.all([import('@temporalio/client'), import('../../worker/payload-codec.ts')])
  const converter = dataConverter()
  const deadline = performance.now() + (embedded ? 60_000 : 3_000)
  for (;;)
    try {
      const ending = { isClosed: false }
      const retrying = makeGrpcRetryInterceptor(defaultGrpcRetryOptions())
      const interceptors = [retrying, silentOnce(() => ending.isClosed)]
      const options = { address, tls: tls ?? false, connectTimeout: 1_000, interceptors }
      const connection = await Promise.race([
        Connection.connect({ ...options, ...(apiKey !== undefined && { apiKey }) }),
        broken,
      ])
      const connected = {
        client: new Client({
          connection,
          namespace,
          dataConverter: converter,
          interceptors: await traceInterceptors(),
        }),
        async close() {
          ending.isClosed = true
          await connection.close()
        },
      }
      if (tls || apiKey !== undefined || namespace !== 'default') await refuseNoAccess(connected, server)
      return connected
    } catch (error) {
      if (error instanceof UserError) throw error
      if (refusals.includes(codeOf(error))) throw noAccess(server)
      if (performance.now() < deadline) await Promise.race([sleep(50), broken])
      else if (embedded) throw error
      else throw noAnswer(server, error)
    }
}

function noAnswer({ address, tls }: Server, error: unknown): UserError {
  if (tls)
    return new UserError(
      `no Temporal server answers at ${address} by TLS (${errorReason(error)}): check the address, and what is set of ` +
        'ZEROSHIFT_TEMPORAL_TLS_CA_FILE, _CERT_FILE, _KEY_FILE and _SERVER_NAME',
    )
  return new UserError(
    `no Temporal server answers at ${address}. Start one with \`./zeroshift up\`, name another with --temporal ` +
      'HOST:PORT, or leave both --temporal and TEMPORAL_ADDRESS out: the command then starts its own.',
  )
}

/**
 * Throws a UserError if the server denies access to the namespace. Some servers accept every
 * connection and deny only the first call.
 */
async function refuseNoAccess({ client, close }: Connected, server: Server): Promise<void> {
  const { namespace } = client.options
  try {
    await client.workflowService.describeNamespace({ namespace })
  } catch (error) {
    await close()
    if (codeOf(error) !== NOT_FOUND) throw error
    throw noNamespace(server)
  }
}

function codeOf(error: unknown): unknown {
  const cause = causeOf(error)
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
