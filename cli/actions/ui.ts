import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { environmentHere } from '../../activities/runtime/environment.ts'
import { isLoopbackHost } from '../../common/loopback.ts'
import { secretOf } from '../../common/secret.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { refuseUnsafe } from '../../ui/server/security.ts'
import { startUiServer } from '../../ui/server/server.ts'
import { urlOf } from '../../worker/endpoint.ts'
import { interruption } from '../launch/interrupt.ts'
import { namedPorts, portOf } from '../options/ports.ts'
import { estimateFrom } from '../output/estimate.ts'
import { coloursOf, pathOrUrl, print, printError, printOwnAddress } from '../output/print.ts'
import { errorReason } from '../server/unwrap-error.ts'
import { controlWith } from '../ui/control.ts'
import { LiveConnection, liveServer } from '../ui/live-server.ts'
import { pageFolder } from '../ui/page-folder.ts'
import { lastCheckOf } from '../workspace/last-check.ts'
import { artifactsIn } from '../workspace/existing-store.ts'

interface UiOptions {
  readonly port?: string
  readonly host?: string
  readonly token?: string
  readonly control?: true
  readonly page?: string
  readonly store?: string
  readonly temporal?: string
}

/** The port that is tried first if the user names none. */
const PORT = 8090

/** `zeroshift ui`: serves the page until SIGINT or SIGTERM. */
export async function ui(options: UiOptions): Promise<number> {
  const named = namedPorts({ '--port': options.port })
  const host = options.host ?? '127.0.0.1'
  const control = options.control ?? false
  const given = options.token ?? secretOf('ZEROSHIFT_UI_TOKEN')
  // Other users of this machine reach the page, too. They must not change runs.
  const made =
    given === undefined && control && isLoopbackHost(host) ? randomBytes(16).toString('hex') : undefined
  const token = given ?? made
  refuseUnsafe(host, token)
  const artifacts = await artifactsIn(options.store)
  const page = await pageFolder(options.page)
  const port = await portOf('--port', PORT, named)
  const connection = new LiveConnection(options.temporal)
  const stop = interruption()
  const store = pathOrUrl(artifacts.store.url)
  const { yellow } = coloursOf(process.stderr)
  try {
    const server = await startUiServer({
      ...{ artifacts, host, port, store, page },
      cache: join(cacheDirectory(), 'ui'),
      operations: {
        live: liveServer(connection),
        estimate: async ({ plan }) => (await estimateFrom(artifacts, stagesOf(plan))).byKey,
        lastCheck: () => lastCheckOf(artifacts.store.url),
        ...(control && { control: controlWith({ store: artifacts.store.url, temporal: options.temporal }) }),
      },
      version: environmentHere(undefined).zeroshift ?? '',
      ...(token !== undefined && { token }),
      onError: (error) => {
        printError(yellow(errorReason(error)))
      },
    })
    try {
      const address = new URL(urlOf({ host, port: server.port }))
      if (made !== undefined) address.searchParams.set('token', made)
      printOwnAddress(address)
      const rights = control ? 'The page may change them.' : 'The page may only read.'
      print(`Runs in ${store}. ${rights} Ctrl-C stops it.`)
      await stop.whenRequested
      return 0
    } finally {
      await server.close()
    }
  } finally {
    stop.off()
    await connection.close()
  }
}
