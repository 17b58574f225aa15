import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { UserError } from '../experiment/errors.ts'
import { ensureTemporal } from '../infra/temporal.mjs'
import { startStack } from '../worker/stack.ts'
import { home, noteStack, runningStack, storeFor } from './place.ts'
import { whereOf } from './print.ts'
import { connect } from './temporal.ts'

export interface UpOptions {
  readonly port: string
  readonly ui?: boolean
}

/** `zeroshift up`: until SIGINT or SIGTERM. */
export async function up({ port: text, ui = false }: UpOptions): Promise<number> {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UserError(`--port: expected a number from 1 to 65535, found '${text}'`)
  const other = runningStack()
  if (other)
    throw new UserError(
      `a stack runs in this directory already (process ${other.pid}, Temporal at ${other.address})`,
    )
  if (!(await isFree(port)))
    throw new UserError(
      `--port: port ${port} is in use by another program; give a free one, such as --port ${port + 1}`,
    )

  const stopped = new Promise<void>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        stop()
        process.once(signal, () => process.exit(130))
      })
  })
  const stack = await startStack({
    directory: home,
    temporal: await ensureTemporal(),
    port,
    ui,
    onNote: (message) => {
      console.error(message)
    },
  })
  const forget = noteStack(stack.address, true)
  try {
    const { close } = await connect({ ...stack, embedded: true })
    await close()
    console.log(
      `Temporal  ${stack.address}${stack.durable ? '' : ' (in memory: another stack holds the database)'}`,
    )
    if (ui) console.log(`web page  http://127.0.0.1:${port + 1000}`)
    console.log(`results   ${whereOf(storeFor())}`)
    console.log(`logs      ${resolve(home)}`)
    console.log('Runs started in this directory work here. Ctrl-C stops it.')
    await Promise.race([stopped, stack.broken])
    console.log('Stopping.')
    return 0
  } finally {
    forget()
    await stack.stop()
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer()
    probe.once('error', () => {
      answer(false)
    })
    probe.listen(port, '127.0.0.1', () =>
      probe.close(() => {
        answer(true)
      }),
    )
  })
}
