/**
 * The launcher loads this file before cli/main.ts. It sets up missing parts and then lets Node load
 * TypeScript. It runs in the process of the command, so that the command itself receives signals
 * and sets the exit code. Only a worker whose log is JSON gets a parent process (see
 * worker-parent.mjs).
 */
import { isMainThread } from 'node:worker_threads'
import { bootstrap, giveUp } from './bootstrap.mjs'
import { deviceIn, driverProblem } from '../host/gpu.mjs'
import { beParent, needsParent } from '../worker/worker-parent.mjs'

const verb = process.argv[2] ?? '--help'
if (isMainThread) {
  if (verb === 'worker' && needsParent()) await beParent()
  // The Temporal server is not set up here. The commands that start one set it up, and a worker in
  // a container does not need it.
  const native = !verb.startsWith('-') && !['help', 'doctor'].includes(verb)
  // Without a driver the command refuses to start, so that 3 GB would be downloaded for nothing.
  const gpu = deviceIn(process.argv.slice(3)) === 'gpu' && driverProblem() === undefined
  await bootstrap({ native, temporal: false, gpu }).catch(giveUp)
}
await import('tsx')
