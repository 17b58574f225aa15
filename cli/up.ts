import { join, relative, resolve } from 'node:path'
import { noteBeside, noteServer, serverKeys } from '../artifacts/served-store.ts'
import { UserError } from '../experiment/errors.ts'
import { ensureMlflow } from '../infra/mlflow.mjs'
import { SetupError } from '../infra/steps.mjs'
import { ensureTemporal } from '../infra/temporal.mjs'
import { ensureVersitygw } from '../infra/versitygw.mjs'
import { freePort } from '../worker/server.ts'
import { startStack } from '../worker/stack.ts'
import { duration } from './format.ts'
import { home, noteStack, runningStack, storeFor } from './place.ts'
import { columns, coloursOf, whereOf } from './print.ts'
import { connect } from './temporal.ts'

export interface UpOptions {
  readonly port: string
  readonly ui?: boolean
  /** False with --no-s3. */
  readonly s3: boolean
  readonly s3Port?: string
  readonly mlflow: boolean
  readonly mlflowPort?: string
}

/** Near these, where the user names none. */
const S3_PORT = 7070
const MLFLOW_PORT = 5000
/** The directory of the results, and the bucket that is the same. */
const BUCKET = 'store'

/** `zeroshift up`: until SIGINT or SIGTERM. */
export async function up({ ui = false, ...options }: UpOptions): Promise<number> {
  const other = runningStack()
  if (other)
    throw new UserError(
      `a stack runs in this directory already (process ${other.pid}, Temporal at ${other.address})`,
    )
  const port = await portOf('--port', options.port)
  const s3Port = await portOf('--s3-port', options.s3Port, S3_PORT)
  const mlflowPort = await portOf('--mlflow-port', options.mlflowPort, MLFLOW_PORT)

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
  const board = await boardOn(process.stdout)
  const results = resolve(home, BUCKET)
  let unserve = () => undefined as void
  const stack = await startStack({
    directory: home,
    temporal,
    port,
    ui,
    ...(versitygw !== undefined && {
      s3: {
        ...{ versitygw, port: s3Port, bucket: BUCKET, credentials: serverKeys(results) },
        onReady: (endpoint) => {
          unserve = noteServer(results, endpoint)
        },
      },
    }),
    ...(mlflow !== undefined && { mlflow: { mlflow, port: mlflowPort } }),
    onNote: (message) => {
      board.end()
      console.error(yellow(message))
    },
  }).catch((error: unknown) => {
    board.end()
    const { message } = error as Error
    throw versitygw === undefined
      ? error
      : new Error(`${message}. Without an S3 server: ./zeroshift up --no-s3`)
  })
  let forget = noteStack({
    address: stack.address,
    shared: true,
    ...(stack.mlflow && { mlflow: stack.mlflow.url }),
  })
  // Runs that begin from now on are not told of it.
  void stack.mlflow?.gone.then(() => {
    forget()
    forget = noteStack({ address: stack.address, shared: true })
  })

  const parts: Part[] = [
    {
      name: 'Temporal',
      where: stack.address,
      about: stack.durable ? '' : 'in memory: another stack holds the database',
      ready: connect({ ...stack, embedded: true }).then(({ close }) => close()),
    },
    ...(ui ? [{ name: 'web page', where: `http://127.0.0.1:${port + 1000}` }] : []),
    ...(versitygw === undefined
      ? []
      : [
          {
            name: 'S3',
            where: `http://127.0.0.1:${s3Port}`,
            about: `bucket ${BUCKET}, keys in ${relative('.', noteBeside(results))}`,
          },
        ]),
    ...(stack.mlflow ? [{ name: 'MLflow', where: stack.mlflow.url, ready: stack.mlflow.ready }] : []),
    { name: 'worker', where: join(home, 'worker.log'), ready: stack.ready },
    { name: 'results', where: whereOf(storeFor()) },
    { name: 'logs', where: resolve(home) },
  ]
  try {
    const whenUp = board.show(parts)
    const isUp = await Promise.race([whenUp.then(() => true), stopped.then(() => false), stack.broken])
    if (isUp) console.log('\nExperiments that are started in this directory run here. Ctrl-C stops it.')
    await Promise.race([stopped, stack.broken])
    board.end()
    console.log('Stopping.')
    return 0
  } finally {
    board.end()
    await stack.stop()
    forget()
    unserve()
  }
}
