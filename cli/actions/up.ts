import { publishServer, serverKeys, serverRecordPath } from '../../artifacts/store/served-store.ts'
import { relative, resolve } from 'node:path'
import { UserError } from '../../common/errors.ts'
import { ensureMlflow } from '../../infra/mlflow.mjs'
import { SetupError } from '../../infra/steps.mjs'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { ensureVersitygw } from '../../infra/versitygw.mjs'
import { refuseTaken, urlOf } from '../../worker/endpoint.ts'
import { startStack } from '../../stack/stack.ts'
import { showStartup } from '../output/startup-display.ts'
import { endpointOf } from '../server/endpoint.ts'
import { refuseWithoutDriver } from '../server/gpu.ts'
import { home, noteStack, runningStack, stackNote, storeFor } from '../workspace/workspace.ts'
import { namedPorts, portOf } from '../options/ports.ts'
import { coloursOf, print, printError, pathOrUrl } from '../output/print.ts'
import { connect } from '../server/temporal.ts'
import { refuseWorkerSettings } from '../server/worker-settings.ts'

interface UpOptions {
  readonly port?: string
  readonly ui?: boolean
  /** False with --no-s3. */
  readonly s3: boolean
  readonly s3Port?: string
  readonly mlflow: boolean
  readonly mlflowPort?: string
  readonly metricsPort?: string
  readonly metricsHost?: string
}

/** The ports that are tried first if the user names none. */
const TEMPORAL_PORT = 7233
const S3_PORT = 7070
const MLFLOW_PORT = 5000
/** The name of the results' directory and of the S3 bucket that serves it. */
const BUCKET = 'store'

/** `zeroshift up`: runs until SIGINT or SIGTERM. */
export async function up({ ui = false, ...options }: UpOptions): Promise<number> {
  const other = runningStack()
  if (other)
    throw new UserError(
      `a stack runs in this directory already (process ${other.pid}, Temporal at ${other.address}, as ${stackNote} says)`,
    )
  refuseWithoutDriver()
  refuseWorkerSettings()
  const endpoint = endpointOf(options.metricsPort, options.metricsHost)
  const named = namedPorts({
    '--port': options.port,
    '--s3-port': options.s3Port,
    '--mlflow-port': options.mlflowPort,
    '--metrics-port': options.metricsPort,
  })
  const port = await portOf('--port', TEMPORAL_PORT, named)
  const s3Port = await portOf('--s3-port', S3_PORT, named)
  const mlflowPort = await portOf('--mlflow-port', MLFLOW_PORT, named)
  if (endpoint) await refuseTaken(endpoint)

  const temporal = await ensureTemporal()
  const versitygw = options.s3 ? await unlessImpossible('S3', ensureVersitygw, '--no-s3') : undefined
  const mlflow = options.mlflow ? await unlessImpossible('MLflow', ensureMlflow, '--no-mlflow') : undefined

  const stopped = new Promise<void>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        stop()
        process.once(signal, () => process.exit(130))
      })
  })
  const { yellow } = coloursOf(process.stderr)
  let startup = { end: (): void => undefined }
  const results = resolve(home, BUCKET)
  let unserve = (): void => undefined
  const stack = await startStack({
    directory: home,
    temporal,
    port,
    ui,
    ...(endpoint && { endpoint }),
    ...(versitygw !== undefined && {
      s3: {
        ...{ versitygw, port: s3Port, bucket: BUCKET, credentials: serverKeys(results) },
        onReady: (endpoint) => {
          unserve = publishServer(results, endpoint)
        },
      },
    }),
    ...(mlflow !== undefined && { mlflow: { mlflow, port: mlflowPort } }),
    onNote: (message) => {
      startup.end()
      printError(yellow(message))
    },
  }).catch((error: unknown) => {
    const hint = versitygw === undefined ? '' : '. Without an S3 server: ./zeroshift up --no-s3'
    throw new Error(`${(error as Error).message}${hint}`)
  })
  const { address, durable, mlflow: tracking } = stack
  let forget = noteStack({ address, shared: true, ...(tracking && { mlflow: tracking.url }) })
  // Runs that begin after MLflow has ended are not sent to it.
  void tracking?.gone.then(() => {
    forget()
    forget = noteStack({ address, shared: true })
  })

  try {
    const shown = await showStartup(
      [
        {
          name: 'Temporal',
          where: address,
          ...(!durable && { about: 'in memory: another stack holds the database' }),
          ready: connect({ ...stack, embedded: true }).then(({ close }) => close()),
        },
        ...(ui ? [{ name: 'web page', where: `http://127.0.0.1:${port + 1000}` }] : []),
        ...(versitygw === undefined
          ? []
          : [
              {
                name: 'S3',
                where: `http://127.0.0.1:${s3Port}`,
                about: `bucket ${BUCKET}, keys in ${relative('.', serverRecordPath(results))}`,
                ready: Promise.resolve(),
              },
            ]),
        ...(tracking ? [{ name: 'MLflow', where: tracking.url, ready: tracking.ready }] : []),
        {
          name: 'worker',
          where: 'one process',
          ...(endpoint && { about: `metrics at ${urlOf(endpoint)}/metrics` }),
          ready: stack.ready,
        },
        { name: 'results', where: pathOrUrl(storeFor()) },
        { name: 'logs', where: resolve(home) },
      ],
      process.stdout,
    )
    startup = shown
    const ended = Promise.race([stopped, stack.broken])
    const isUp = await Promise.race([shown.allReady.then(() => true), ended.then(() => false)])
    if (isUp) print('\nExperiments that are started in this directory run here. Ctrl-C stops it.')
    await ended
    startup.end()
    print('Stopping.')
    return 0
  } finally {
    startup.end()
    await stack.stop()
    forget()
    unserve()
  }
}

/**
 * Returns the result of `ensure`. Prints the reason and the remedy, and returns undefined, if the
 * program cannot be installed.
 */
async function unlessImpossible(
  name: string,
  ensure: () => Promise<string>,
  option: string,
): Promise<string | undefined> {
  try {
    return await ensure()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    const { yellow } = coloursOf(process.stderr)
    printError(yellow(`Going on without ${name} (${option} does so without asking):\n${error.message}\n`))
    return undefined
  }
}
