import type { Client } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import type { Output } from '../output/output.ts'
import type { Connected, Server } from '../server/temporal.ts'
import { runningStack } from '../workspace/workspace.ts'
import { interruption, type Interruption } from './interrupt.ts'
import { refuseUnusableStore, refuseUnusableStoreInAdvance } from './usable-store.ts'

/** The options of commands that start a workflow, or join one that runs, and show it to its end. */
export interface LaunchOptions {
  readonly detach?: true
  readonly json?: true
  readonly temporal?: string
}

/** The Temporal server of a command, which may still be starting. */
export interface CommandServer {
  readonly output: Output
  readonly interruption: Interruption
  /** Whether the server and its worker belong to this command and stop with it. */
  readonly isOwn: boolean
  /**
   * Starts the command's own server and worker, while the command does other work. `connect` starts
   * them otherwise.
   */
  readonly start: () => void
  /** Waits for the server and its worker, and connects to the server. */
  readonly connect: () => Promise<ConnectedServer>
}

export interface ConnectedServer extends Pick<Server, 'embedded' | 'broken'> {
  readonly client: Client
  /** Whether the server knows Zeroshift's search attributes. */
  readonly searchable: boolean
}

/**
 * Gives `work` a Temporal server: an existing one, or one with a worker that `work` starts and that
 * stops afterwards. `store` is the URL where the results are kept. Throws a UserError before
 * anything is started if the store or the settings cannot be used.
 */
export async function withServer<Result>(
  store: string,
  { detach, temporal }: LaunchOptions,
  output: Output,
  work: (server: CommandServer) => Promise<Result>,
): Promise<Result> {
  const { connect, embeddedServer, existingServer, refuseUnableToStart } =
    await import('../server/temporal.ts')
  const existing = existingServer(temporal)
  if (detach && !existing)
    throw new UserError(
      'nothing would go on working after --detach: start `./zeroshift up` in this directory first, or name a Temporal ' +
        'server with --temporal HOST:PORT',
    )
  // A server and its worker write to the working directory as soon as they start.
  if (!existing) {
    await refuseUnusableStoreInAdvance(store)
    await refuseUnableToStart()
  }
  const interrupt = interruption(() => {
    output.printLine('Stopping. Once more to stop at once.')
  })
  let starting: Promise<Server> | undefined
  const start = () => {
    starting ??= existing ? Promise.resolve(existing) : embeddedServer({ onNote: output.printLine })
    starting.catch(() => undefined)
    return starting
  }
  let connection: Connected | undefined
  try {
    return await work({
      output,
      interruption: interrupt,
      isOwn: existing === undefined,
      start: () => void start(),
      connect: async () => {
        // The workers of another stack may reach the store although this machine does not.
        if (!existing || existing.address === runningStack()?.address) await refuseUnusableStore(store)
        const server = await start()
        connection = await connect(server)
        const { client } = connection
        const { ensureSearchAttributes } = await import('../server/search-attributes.ts')
        const [searchable] = await Promise.all([
          ensureSearchAttributes(client),
          // A worker that is still starting is not waited for if nothing is to be computed.
          Promise.race([server.ready, server.broken, interrupt.whenRequested]),
        ])
        return { client, searchable, embedded: server.embedded, broken: server.broken }
      },
    })
  } finally {
    try {
      await connection?.close()
    } finally {
      interrupt.off()
      await starting?.then((server) => server.stop()).catch(() => undefined)
    }
  }
}
