// The thread of a ThreadedHash: answers every message when it has done what it asks for.
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

const hash = createHash('sha256')
parentPort.on('message', (bytes) => {
  parentPort.postMessage(bytes ? void hash.update(bytes) : hash.digest('hex'))
})
