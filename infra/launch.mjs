/**
 * Runs the command line: `node infra/launch.mjs COMMAND …`. It sets up missing parts first. The
 * command runs in this process, so that it receives signals itself and sets the exit code. Only a
 * worker whose log is JSON gets a parent process (see worker-parent.mjs).
 */
import { bootstrap, giveUp } from './set-up.mjs'
import { load } from './compiled.mjs'
import { deviceIn, driverProblem } from '../host/gpu.mjs'
import { beParent, needsParent } from '../worker/worker-parent.mjs'

const verb = process.argv[2] ?? '--help'
const withoutTensorFlow = ['help', 'doctor', 'setup', 'init', 'completion']
const isWorker = verb === 'worker'
if (isWorker && needsParent()) await beParent()
// The Temporal server is not set up here. The commands that start one set it up, and a worker in a
// container does not need it.
const native = !verb.startsWith('-') && !withoutTensorFlow.includes(verb)
// Without a driver the command refuses to start, so that 3 GB would be downloaded for nothing.
const gpu = deviceIn(process.argv.slice(3)) === 'gpu' && driverProblem() === undefined
await bootstrap({ native, temporal: false, gpu }).catch(giveUp)

// The stacks of errors then name the sources.
if (isWorker || process.env.ZEROSHIFT_DEBUG !== undefined) process.setSourceMapsEnabled(true)
await load('cli/main.ts')
