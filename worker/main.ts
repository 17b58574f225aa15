import { ignoredRecord } from '../artifacts/store/events.ts'
import { writer } from './telemetry/log.ts'
import { runWorker } from './worker.ts'

/**
 * The worker as a child of a stack: `worker/main.ts HOST:PORT [HOST PORT]`, the second pair for its endpoint, with an IPC
 * channel. It says when it asks for work, and stops in order at the first message; when the channel closes, its parent is gone, and it ends at once.
 */
const [, , address = '127.0.0.1:7233', host, port] = process.argv
const stop = new AbortController()
process.once('message', () => {
  stop.abort()
})
process.once('disconnect', () => process.exit(0))
const write = writer()
ignoredRecord.subscribe((message) => {
  write('WARN', message)
})
try {
  await runWorker({
    address,
    signal: stop.signal,
    ...(host !== undefined && { endpoint: { host, port: Number(port) } }),
    onReady: () => process.send?.('ready', undefined, undefined, () => undefined),
  })
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
