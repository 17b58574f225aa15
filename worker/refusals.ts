import { once } from 'node:events'
import { connect } from 'node:tls'
import { UserError } from '../common/errors.ts'
import type { TemporalSettings } from './temporal-settings.ts'

/**
 * The errors of a Temporal server that rejects a client. They need other settings: a retry does not
 * help.
 */

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

/** Status codes of gRPC: not found, permission denied (7) and unauthenticated (16). */
export const NOT_FOUND = 5
export const refusals: readonly unknown[] = [7, 16]

/** The messages for the latter two in errors of the SDK's native part, which have no code. */
const REFUSED =
  /code: '(The caller does not have permission|The request does not have valid authentication credentials)/
/** The native part's reason for rejecting the server's certificate. */
const UNTRUSTED = /InvalidCertificate\((.*?)\)+(, |$)/

/**
 * Returns what is wrong with the settings, as an error of a worker's first calls shows it. Returns
 * undefined if the settings may be right and the server may only not be running yet.
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
 * Returns the TLS alert by which the server rejects a client's certificate, or undefined if it
 * accepts it. The native part often only sees the connection end, because the alert comes after the
 * handshake.
 */
async function alertOf({ address, tls }: TemporalSettings): Promise<string | undefined> {
  const [, host = address, port = '7233'] = /^(.*?)(?::(\d+))?$/.exec(address) ?? []
  const { crt: cert, key } = tls?.clientCertPair ?? {}
  const socket = connect({
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    ALPNProtocols: ['h2'],
    // Only the server's decision matters here, and nothing is sent to it.
    rejectUnauthorized: false,
    ...(tls?.serverNameOverride != null && { servername: tls.serverNameOverride }),
    ...(cert && key && { cert: Buffer.from(cert), key: Buffer.from(key) }),
  })
  try {
    // A server that accepts the certificate sends data first.
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
