import { fork } from 'node:child_process'
import { constants } from 'node:os'
import { eachLine, isJsonLog, jsonLine } from './worker-log.mjs'

/**
 * The process that passes on a worker's standard error, in the environment of the worker and of all
 * that it starts.
 */
const PARENT = 'ZEROSHIFT_LOG_PARENT'
/** What the worker tells its parent, and the parent answers. */
const LOG_BEGINS = 'log begins'

/**
 * Whether `zeroshift worker` needs a parent: native libraries write text to standard error, and its
 * log is to be JSON.
 * @returns {boolean}
 */
export function needsParent() {
  return process.env[PARENT] === undefined && isJsonLog(process.env, process.stderr.isTTY)
}

/**
 * Runs this command in a child and passes its log on, so that every line is JSON; what it says before
 * its log begins, such as a mistake in its options, is passed on as it is. Signals go to the child, and
 * its exit code is this process's. Where this process is killed, the channel between the two closes,
 * and the child ends in order. Never resolves.
 * @returns {Promise<never>}
 */
export async function beParent() {
  const [, command, ...args] = process.argv
  const child = fork(command, args, {
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, ZEROSHIFT_LOG_FORMAT: 'json', [PARENT]: String(process.pid) },
    // A signal from the terminal reaches this process, which passes it on once.
    detached: true,
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  passMessages(child)
  // A reader that has gone away ends no worker.
  process.stderr.on('error', () => undefined)
  let isLog = false
  child.on('message', (message) => {
    if (message !== LOG_BEGINS) return
    isLog = true
    child.send(LOG_BEGINS, () => undefined)
  })
  eachLine(child.stderr, (line) => process.stderr.write(isLog ? jsonLine(line, child) : `${line}\n`))
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...how) => resolve(how))
  })
  process.exit(signal ? 128 + constants.signals[signal] : code)
}

/**
 * To be awaited by a worker before it works: from then on, all that its process writes to standard
 * error is its log.
 * @returns {Promise<void>}
 */
export async function logBegins() {
  if (process.env[PARENT] !== String(process.ppid) || !process.connected) return
  await new Promise((resolve) => {
    const hear = (message) => {
      if (message === LOG_BEGINS) end()
    }
    const end = () => {
      process.off('message', hear)
      process.off('disconnect', end)
      process.channel?.unref()
      resolve(undefined)
    }
    // Nothing else may keep the process yet.
    process.channel?.ref()
    process.on('message', hear)
    process.once('disconnect', end)
    process.send(LOG_BEGINS, undefined, undefined, () => undefined)
  })
}

/** To and from whoever started this process with a channel of its own. */
function passMessages(child) {
  if (!process.send) return
  child.on('message', (message) => {
    if (message !== LOG_BEGINS) process.send(message, undefined, undefined, () => undefined)
  })
  process.on('message', (message) => {
    if (child.connected) child.send(message, () => undefined)
  })
  process.once('disconnect', () => {
    if (child.connected) child.disconnect()
  })
}
