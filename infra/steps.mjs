import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { cacheDirectory } from '../host/cache.mjs'
import { Progress } from './progress.mjs'

/** An error that stops the set-up. The user sees its message alone. */
export class SetupError extends Error {
  name = 'SetupError'
}

/** A signal arrived while a command ran, so that nothing else is tried. */
export class Interrupted extends Error {
  name = 'Interrupted'

  /** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
  constructor(signal) {
    super(`The set-up was ended by ${signal}.`)
    this.signal = signal
  }
}

/** Writes to standard error: standard output belongs to the command that needs the set-up. */
const progress = new Progress(process.stderr)

/**
 * @param {string} line
 */
export function say(line) {
  progress.say(line)
}

/**
 * Runs a step, and shows its title and its duration.
 * @template T
 * @param {string} title the name of the step, and its usual duration
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function step(title, work) {
  return progress.step(title, work)
}

/**
 * Runs a command to its end with its output in a log file.
 * @param {string} file
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.log name of the log file, without its ending
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env] added to the environment
 * @param {number} [options.limitSeconds]
 * @param {string} [options.remedy] the advice for the user if the command fails
 * @returns {Promise<void>} rejects with a SetupError that has the end of the log
 */
export async function command(file, args, { log, cwd, env, limitSeconds, remedy }) {
  const path = join(cacheDirectory(), 'logs', `${log}.log`)
  mkdirSync(dirname(path), { recursive: true })
  const output = openSync(path, 'w')
  const ending = await finish(
    spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', output, output] }),
    limitSeconds,
  )
  closeSync(output)
  if (!ending) return
  const tail = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-20)
  throw new SetupError(
    [
      `\`${[file, ...args].join(' ')}\` ${ending}.`,
      ...tail.map((line) => `  | ${line}`),
      `Log: ${path}`,
      remedy,
    ]
      .filter(Boolean)
      .join('\n'),
  )
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Waits for a child process. Returns the reason of its failure, or empty text if it succeeded. */
function finish(child, limitSeconds) {
  return new Promise((resolve, reject) => {
    let limit
    let interruption
    const interrupt = (signal) => {
      interruption = new Interrupted(signal)
      child.kill(signal)
    }
    const end = (how) => {
      clearTimeout(limit)
      for (const signal of SIGNALS) process.off(signal, interrupt)
      if (interruption) reject(interruption)
      else resolve(how)
    }
    if (limitSeconds) {
      limit = setTimeout(() => {
        child.kill('SIGKILL')
        end(`took longer than ${limitSeconds} s and was stopped`)
      }, limitSeconds * 1000)
    }
    for (const signal of SIGNALS) process.on(signal, interrupt)
    child.on('error', (error) => end(`could not be started: ${error.message}`))
    child.on('exit', (code, signal) =>
      end(signal ? `was ended by ${signal}` : code ? `exited with ${code}` : ''),
    )
  })
}
