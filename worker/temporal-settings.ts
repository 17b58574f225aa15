import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { TLSConfig } from '@temporalio/client'
import { withoutCredentials } from '../common/credentials.ts'
import { UserError } from '../common/errors.ts'
import { isLoopbackAddress } from '../common/loopback.ts'
import { readRegularFileSync, unreadable } from '../common/regular-file.ts'
import { secretOf } from '../common/secret.ts'

/** The connection settings for a Temporal server, of clients and workers. */
export interface TemporalSettings {
  /** host:port. */
  readonly address: string
  /** `default` unless given. */
  readonly namespace?: string
  /** Absent: the connection is not encrypted. */
  readonly tls?: TLSConfig
  readonly apiKey?: string
}

const TLS = 'ZEROSHIFT_TEMPORAL_TLS'
const SERVER_NAME = 'ZEROSHIFT_TEMPORAL_TLS_SERVER_NAME'

/**
 * Reads the connection settings for a Temporal server from the environment: TEMPORAL_NAMESPACE,
 * ZEROSHIFT_TEMPORAL_API_KEY and the variables that begin with ZEROSHIFT_TEMPORAL_TLS (see
 * common/environment-variables.ts). Files are read now, so that a process has to be restarted after
 * one was changed. Throws a UserError if a setting is not valid.
 */
export function temporalSettings(address: string, env: NodeJS.ProcessEnv = process.env): TemporalSettings {
  refuseAddress(address)
  const namespace = env.TEMPORAL_NAMESPACE
  const tls = tlsOf(env)
  const apiKey = secretOf('ZEROSHIFT_TEMPORAL_API_KEY', env)
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new UserError(
      'ZEROSHIFT_TEMPORAL_API_KEY holds white space or other characters that no API key has; expected the key alone',
    )
  if (apiKey !== undefined && !tls && !isLoopbackAddress(address))
    throw new UserError(
      `ZEROSHIFT_TEMPORAL_API_KEY would go to ${address} over a connection that is not encrypted, for all to read; set ` +
        `${TLS} to 1, or unset the key`,
    )
  return {
    address,
    ...(namespace && { namespace }),
    ...(tls && { tls }),
    ...(apiKey !== undefined && { apiKey }),
  }
}

/** Throws a UserError if an address is not valid. The SDK would only report it when it connects. */
function refuseAddress(address: string): void {
  const [, port] = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::(\d+))?$/i.exec(address) ?? [undefined, 'none']
  if (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)) return
  throw new UserError(
    `"${withoutCredentials(address)}" is no address of a Temporal server; expected HOST:PORT, such as 127.0.0.1:7233, from ` +
      '--temporal or TEMPORAL_ADDRESS',
  )
}

function tlsOf(env: NodeJS.ProcessEnv): TLSConfig | undefined {
  const { [TLS]: wanted = '', [SERVER_NAME]: serverNameOverride } = env
  const ca = pemIn(env, 'ZEROSHIFT_TEMPORAL_TLS_CA_FILE')
  const certificate = pemIn(env, 'ZEROSHIFT_TEMPORAL_TLS_CERT_FILE')
  const key = pemIn(env, 'ZEROSHIFT_TEMPORAL_TLS_KEY_FILE')
  if (!['', '0', '1', 'false', 'true'].includes(wanted))
    throw new UserError(`${TLS} is "${wanted}"; expected 1 or 0`)
  const [named] = [ca, certificate, key].flatMap((file) => file?.name ?? [])
  const given = named ?? (serverNameOverride ? SERVER_NAME : undefined)
  const isOn = ['1', 'true'].includes(wanted)
  if (given === undefined && !isOn) return undefined
  if (given !== undefined && wanted !== '' && !isOn)
    throw new UserError(`${TLS} is ${wanted} and ${given} is set; expected one of them: unset the other`)
  if (ca) certificateIn(ca)
  return {
    ...(serverNameOverride && { serverNameOverride }),
    ...(ca && { serverRootCACertificate: ca.bytes }),
    ...((certificate ?? key) && { clientCertPair: pairOf(certificate, key) }),
  }
}

interface Pem {
  /** The name of the variable that names the file. */
  readonly name: string
  readonly path: string
  readonly bytes: Buffer
}

function pemIn(env: NodeJS.ProcessEnv, name: string): Pem | undefined {
  const path = env[name]
  if (!path) return undefined
  try {
    return { name, path, bytes: readRegularFileSync(path) }
  } catch (error) {
    const reason = unreadable(error) ?? `cannot be read: ${(error as Error).message}`
    throw new UserError(`${name} names ${path}, which ${reason}`)
  }
}

function pairOf(certificate: Pem | undefined, key: Pem | undefined): { crt: Buffer; key: Buffer } {
  if (!certificate || !key)
    throw new UserError(
      `${(certificate ?? key)?.name ?? ''} is set without ${TLS}_${certificate ? 'KEY' : 'CERT'}_FILE; expected a certificate and its ` +
        'private key, each in a file of its own',
    )
  if (!certificateIn(certificate).checkPrivateKey(privateKeyIn(key)))
    throw new UserError(
      `the key in ${key.path} (${key.name}) is not that of the certificate in ${certificate.path} (${certificate.name})`,
    )
  return { crt: certificate.bytes, key: key.bytes }
}

function certificateIn({ name, path, bytes }: Pem): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch {
    throw new UserError(`${name} names ${path}, which holds no certificate; expected one in PEM`)
  }
}

function privateKeyIn({ name, path, bytes }: Pem) {
  try {
    return createPrivateKey(bytes)
  } catch {
    throw new UserError(
      `${name} names ${path}, which holds no private key; expected one in PEM, not encrypted`,
    )
  }
}
