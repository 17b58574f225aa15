import { devices } from '../../learning/device.ts'
import { flag, value, values } from '../declare.ts'

/** The options that several commands share. */

export const temporal = value('--temporal <host:port>', 'a Temporal server (or TEMPORAL_ADDRESS)')

export const store = value('--store <url>', 'where results are kept: a directory or a URL')

export const json = flag('--json', 'standard output is one JSON object')

export const detach = flag('--detach', 'start it and leave it to the workers')

export const device = value(
  '--device <name>',
  `what to compute on, ${devices.join(' or ')} (or ZEROSHIFT_DEVICE)`,
)

export const metricsPort = value(
  '--metrics-port <port>',
  'have the worker serve /metrics for Prometheus, /healthz and /readyz',
)

export const metricsHost = value(
  '--metrics-host <address>',
  'where; 127.0.0.1 unless given, 0.0.0.0 for all addresses',
)

/** `signed` says in the help text what must be signed. */
export const requireSignature = (signed: string) =>
  values(
    '--require-signature <file>',
    `a public key that must have signed ${signed}, or another one where the option is repeated`,
  )

/** An option of `store copy` and `store export`. */
export const someRuns = values('--run <id>', 'this run or sweep, with all that it needs; may be repeated')

/** An option of `store copy` and `store import`. */
export const keep = value(
  '--keep <side>',
  'where both have results of one stage, and different ones: leave out those of the source (target), or delete those of the target (source)',
)

export const copyDryRun = flag('--dry-run', 'show what would be copied')

/** The flags and the help text of the base model of `adapter inspect`, `merge` and `apply`. */
export const adapterBase = [
  '--base <checkpoint>',
  'the model that the adapter is for: a directory, hf://…, s3://… or a URL',
] as const
