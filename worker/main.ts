import { allowsPrograms } from '../activities/runtime/allowed-programs.ts'
import { ignoredRecord } from '../artifacts/store/events.ts'
import { writer } from './telemetry/log.ts'
import { runWorker } from './worker.ts'

/**
 * The worker as a child process of a stack, with an IPC channel. `infra/launch-worker.mjs HOST:PORT
 * [HOST PORT]` executes it. The second pair is for its endpoint. It sends a message when it asks
 * for work, and shuts down at the first message that it receives. When the channel closes, its
 * parent has ended, and it exits at once.
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
    // Whoever starts a stack on a machine of their own may execute programs there anyway.
    allowsPrograms: allowsPrograms(true),
    ...(host !== undefined && { endpoint: { host, port: Number(port) } }),
    onReady: () => process.send?.('ready', undefined, undefined, () => undefined),
  })
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
