import { fork } from 'node:child_process'
import { constants } from 'node:os'
import { eachLine, isJsonLog, jsonLine } from './worker-log.mjs'

/**
 * The variable with the number of the process that passes a worker's standard error on. It is in
 * the environment of the worker and of all processes that the worker starts.
 */
const PARENT = 'ZEROSHIFT_LOG_PARENT'
/** The message by which the worker says that its log begins, and the parent's answer. */
const LOG_BEGINS = 'log begins'

/**
 * Whether `zeroshift worker` needs a parent process: if its log is JSON, because native libraries
 * write text to standard error.
 * @returns {boolean}
 */
export function needsParent() {
  return process.env[PARENT] === undefined && isJsonLog(process.env, process.stderr.isTTY)
}

/**
 * Runs this command in a child process and passes its log on, so that every line is JSON. Output
 * before the log begins, such as an error in the options, is passed on unchanged. The child
 * receives the signals, and its exit code becomes that of this process. If this process is killed,
 * the channel between the two closes, and the child shuts down. Never resolves.
 * @returns {Promise<never>}
 */
export async function beParent() {
  const [, command, ...args] = process.argv
  const child = fork(command, args, {
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    // The standard error of the child is a pipe, so that its log is JSON, too.
    env: { ...process.env, [PARENT]: String(process.pid) },
    // Signals from the terminal go only to this process, which passes them on.
    detached: true,
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  passMessages(child)
  // A reader that has gone away must not end the worker.
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
 * A worker must await this before it works. From then on, everything that its process writes to
 * standard error is its log.
 * @returns {Promise<void>}
 */
export async function logBegins() {
  if (process.env[PARENT] !== String(process.ppid) || !process.connected) return
  await new Promise((resolve) => {
    const onMessage = (message) => {
      if (message === LOG_BEGINS) end()
    }
    const end = () => {
      process.off('message', onMessage)
      process.off('disconnect', end)
      process.channel?.unref()
      resolve(undefined)
    }
    // Nothing else may keep the process alive yet.
    process.channel?.ref()
    process.on('message', onMessage)
    process.once('disconnect', end)
    process.send(LOG_BEGINS, undefined, undefined, () => undefined)
  })
}

/**
 * Passes messages between the child and the process that started this one, if there is a channel.
 */
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
