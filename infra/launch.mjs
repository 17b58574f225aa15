/**
 * Loaded before cli/main.ts by the launcher: sets up what is missing, then teaches Node TypeScript. In
 * the process of the command itself, so that signals and exit codes are its own; only a worker whose
 * log is JSON gets a parent (see worker-parent.mjs).
 */
import { isMainThread } from 'node:worker_threads'
import { bootstrap, giveUp } from './bootstrap.mjs'
import { deviceIn, driverProblem } from '../host/gpu.mjs'
import { beParent, needsParent } from '../worker/worker-parent.mjs'

const verb = process.argv[2] ?? '--help'
if (isMainThread) {
  if (verb === 'worker' && needsParent()) await beParent()
  // The server is not set up here: the verbs that start one ask for it, and a worker in a container has no use for it.
  const native = !verb.startsWith('-') && !['help', 'doctor'].includes(verb)
  // Without a driver the command refuses to start, and no 3 GB are downloaded for that.
  const gpu = deviceIn(process.argv.slice(3)) === 'gpu' && driverProblem() === undefined
  await bootstrap({ native, temporal: false, gpu }).catch(giveUp)
}
await import('tsx')
