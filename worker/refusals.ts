import { once } from 'node:events'
import { connect } from 'node:tls'
import { UserError } from '../common/errors.ts'
import type { TemporalSettings } from './temporal-settings.ts'

/** Why a Temporal server does not let somebody in: waiting does not help, other settings do. */

const namespaceOf = ({ namespace }: TemporalSettings) => namespace ?? 'default'

export function noAccess(settings: TemporalSettings): UserError {
  const { address, apiKey, tls } = settings
  const who =
    apiKey !== undefined ? 'the API key' : tls?.clientCertPair ? 'the certificate' : 'anybody without a key'
  return new UserError(
    `the Temporal server at ${address} does not let ${who} into the namespace '${namespaceOf(settings)}'; check ` +
      'ZEROSHIFT_TEMPORAL_API_KEY, or ZEROSHIFT_TEMPORAL_TLS_CERT_FILE, and TEMPORAL_NAMESPACE',
  )
}

export function noNamespace(settings: TemporalSettings): UserError {
  return new UserError(
    `the Temporal server at ${settings.address} has no namespace '${namespaceOf(settings)}'; name another one in TEMPORAL_NAMESPACE`,
  )
}

/** Codes of gRPC. */
export const NOT_FOUND = 5
export const refusals: readonly unknown[] = [7, 16]

/** gRPC's two refusals as the SDK's native half writes them into its errors, which have no code. */
const REFUSED =
  /code: '(The caller does not have permission|The request does not have valid authentication credentials)/
/** The server's certificate as it judges it. */
const UNTRUSTED = /InvalidCertificate\((.*?)\)+(, |$)/

/**
 * What is wrong with the settings, by an error of a worker's first calls. undefined: nothing that is
 * known of, since the server may only not be there yet.
 */
export async function refusalBy(error: unknown, settings: TemporalSettings): Promise<UserError | undefined> {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? error.code : undefined
  if (code === NOT_FOUND) return noNamespace(settings)
  if (refusals.includes(code) || REFUSED.test(error.message)) return noAccess(settings)
  const { address, tls } = settings
  if (!tls) return undefined
  const [, untrusted] = UNTRUSTED.exec(error.message) ?? []
  if (untrusted !== undefined)
    return new UserError(
      `the certificate of the Temporal server at ${address} is not trusted (${untrusted}); check ` +
        'ZEROSHIFT_TEMPORAL_TLS_CA_FILE and ZEROSHIFT_TEMPORAL_TLS_SERVER_NAME',
    )
  const alert = await alertOf(settings)
  if (alert === undefined) return undefined
  const shown = tls.clientCertPair ? 'the certificate' : 'anybody without a certificate'
  return new UserError(
    `the Temporal server at ${address} does not let ${shown} in (${alert}); check ZEROSHIFT_TEMPORAL_TLS_CERT_FILE and ` +
      'ZEROSHIFT_TEMPORAL_TLS_KEY_FILE',
  )
}

const ALERT_MS = 3_000

/**
 * The alert by which the server refuses a client's certificate; undefined: it does not. The native
 * half often sees no more than a connection that ends, since the alert comes after the handshake.
 */
async function alertOf({ address, tls }: TemporalSettings): Promise<string | undefined> {
  const [, host = address, port = '7233'] = /^(.*?)(?::(\d+))?$/.exec(address) ?? []
  const { crt: cert, key } = tls?.clientCertPair ?? {}
  const socket = connect({
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    ALPNProtocols: ['h2'],
    // It is the other side that judges here. Nothing is sent.
    rejectUnauthorized: false,
    ...(tls?.serverNameOverride != null && { servername: tls.serverNameOverride }),
    ...(cert && key && { cert: Buffer.from(cert), key: Buffer.from(key) }),
  })
  try {
    // A server that takes the certificate speaks first.
    await once(socket, 'data', { signal: AbortSignal.timeout(ALERT_MS) })
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const [, alert] = /_ALERT_(.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED).*)$/.exec(code) ?? []
    return alert?.toLowerCase().replaceAll('_', ' ')
  } finally {
    socket.destroy()
  }
}
