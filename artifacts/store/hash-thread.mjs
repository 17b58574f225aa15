// The worker thread of a ThreadedHash. It adds each message to the hash and then answers it. An
// empty message asks for the digest.
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

const hash = createHash('sha256')
parentPort.on('message', (bytes) => {
  parentPort.postMessage(bytes ? void hash.update(bytes) : hash.digest('hex'))
})
