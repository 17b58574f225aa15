import { devices } from '../../learning/tensorflow/device.ts'
import { flag, value, values } from '../declare.ts'

/** The options that several commands share. */

export const temporal = value('--temporal <host:port>', 'a Temporal server (or TEMPORAL_ADDRESS)')

export const store = value('--store <url>', 'the store of the results: a directory or a URL')

/** The help text of an argument that names a run or a sweep, and of one that names a run. */
export const runOrSweep = 'the id of a run or a sweep, the beginning of one, or last for the newest'
export const aRun = 'the id of a run, the beginning of one, or last for the newest'

export const json = flag('--json', 'print one JSON object to standard output')

export const detach = flag('--detach', 'start it, leave it to the workers of a server, and return')

export const device = value(
  '--device <name>',
  `the device to compute on, ${devices.join(' or ')} (or ZEROSHIFT_DEVICE)`,
)

export const metricsPort = value(
  '--metrics-port <port>',
  'the port on which the worker serves /metrics for Prometheus, /healthz and /readyz',
)

export const metricsHost = value(
  '--metrics-host <address>',
  'the address for --metrics-port; 127.0.0.1 by default, 0.0.0.0 for all addresses',
)

/** `signed` says in the help text what must be signed. */
export const requireSignature = (signed: string) =>
  values(
    '--require-signature <file>',
    `a public key that must have signed ${signed}; if repeated, one of the keys suffices`,
  )

/** The options of commands that sign. */
export const signingKeyFile = value(
  '--key <file>',
  'the private key, by default the one in ZEROSHIFT_SIGNING_KEY_FILE; with --sign-with the public key',
)
export const signWith = value(
  '--sign-with <command>',
  'a command of the shell that signs the bytes on its standard input with the key of --key, and writes the signature',
)

/** An option of `store copy` and `store export`. */
export const someRuns = values(
  '--run <id>',
  'only this run or sweep with everything that it needs; may be repeated',
)

/** An option of `store copy` and `store import`. */
export const keep = value(
  '--keep <side>',
  'which results to keep if both stores have different ones of a stage: target (leave out those of the source) or source (delete those of the target)',
)

export const copyDryRun = flag('--dry-run', 'show what would be copied')

/** The flags and the help text of the base model of `adapter inspect`, `merge` and `apply`. */
export const adapterBase = [
  '--base <checkpoint>',
  'the model that the adapter is for: a directory, hf://…, s3://… or a URL',
] as const
