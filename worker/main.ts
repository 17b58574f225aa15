import { parseArgs } from 'node:util'
import { queues, type Queue } from '../workflows/names.ts'
import { runWorker } from './worker.ts'

/**
 * The worker as a process of its own: `node --import <tsx> worker/main.ts --address HOST:PORT [--queue NAME]...`.
 * Started with an IPC channel, it stops when the channel closes: it never outlives its parent.
 */
const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    namespace: { type: 'string' },
    queue: { type: 'string', multiple: true },
  },
})
const stop = new AbortController()
let working = false
process.once('disconnect', () => {
  if (!working) process.exit(0)
  stop.abort()
  // A native call that does not come back must not keep the process.
  setTimeout(() => process.exit(1), 10_000).unref()
})
try {
  await runWorker({
    address: values.address ?? process.env.TEMPORAL_ADDRESS ?? 'localhost:7233',
    ...(values.namespace !== undefined && { namespace: values.namespace }),
    ...(values.queue && { queues: values.queue.map(queueNamed) }),
    signal: stop.signal,
    onReady: () => {
      working = true
    },
  })
  process.exit(0)
} catch (error) {
  if (stop.signal.aborted) process.exit(0)
  console.error(error)
  process.exit(1)
}

function queueNamed(name: string): Queue {
  const queue = queues.find((known) => known === name)
  if (!queue) throw new RangeError(`there is no queue '${name}'; known: ${queues.join(', ')}`)
  return queue
}
