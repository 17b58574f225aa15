import { pino, stdTimeFunctions } from 'pino'
import type { LogEntry } from '@temporalio/worker'
import { withoutCredentials } from '../../common/credentials.ts'
import { isJsonLog, levelOf, levels, type Level } from '../worker-log.mjs'
import { runOf } from '../../workflows/names.ts'
import { attemptOf, type ActivityWords, type Watcher } from './attempt-interceptor.ts'

/**
 * The log of a worker on standard error: lines of text on a terminal and of JSON elsewhere, unless
 * ZEROSHIFT_LOG_FORMAT (`text` or `json`) is set. A line from an activity has its run, stage and
 * attempt.
 */

type Fields = Readonly<Record<string, string | number | boolean>>

export type Write = (level: Level, message: string, fields?: Fields, error?: Error) => void

/**
 * Writes by `console`, which ignores the error if the reader has gone away: this must not end a
 * worker.
 */
const standardError = {
  write: (line: string): void => {
    console.error(line.trimEnd())
  },
}

/**
 * Returns the function that writes lines of the log. It drops lines below the level of
 * ZEROSHIFT_LOG.
 */
export function writer(environment = process.env, destination = standardError): Write {
  const write = isJsonLog(environment, process.stderr.isTTY)
    ? jsonWriter(destination)
    : textWriter(destination)
  const least = levels.indexOf(levelOf(environment))
  return (level, ...line) => {
    if (levels.indexOf(level) >= least) write(level, ...line)
  }
}

function jsonWriter(destination: typeof standardError): Write {
  const logger = pino(
    {
      // `writer` has dropped lines of lower levels already.
      level: 'trace',
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return (level, message, fields = {}, error) => {
    const about = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shown(value)]))
    logger[pinoLevels[level]](
      {
        ...about,
        ...(error && { error: { type: error.name, message: shown(error.message), stack: stackOf(error) } }),
      },
      withoutCredentials(message),
    )
  }
}

const pinoLevels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const

function textWriter(destination: typeof standardError): Write {
  return (level, message, { run, stage, key, attempt, ...fields } = {}, error) => {
    const who = [run, stage, key].filter((part) => part !== undefined).join(' ')
    const about = [
      ...(who ? [who] : []),
      ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
      ...Object.entries(fields).map(([name, value]) => `${name} ${value}`),
    ].join(', ')
    const line = `${message}${about && ` (${about})`}${error ? `: ${stackOf(error)}` : ''}`
    destination.write(`${new Date().toISOString()} ${level} ${withoutCredentials(line)}\n`)
  }
}

const shown = <T>(value: T) => (typeof value === 'string' ? withoutCredentials(value) : value)
const stackOf = ({ stack, message }: Error) => withoutCredentials(stack ?? message)

/**
 * Logs the begin and the end of every attempt at an activity. The SDK logs the reason for a
 * failure.
 */
export function attemptLog(write: Write): Watcher {
  return ({ run, stage, key, attempt }) => {
    const about = { run, stage, ...(key !== undefined && { key }), attempt }
    write('DEBUG', 'attempt begins', about)
    return ({ outcome }, seconds) => {
      write(key === undefined ? 'DEBUG' : 'INFO', `attempt ${outcome}`, {
        ...about,
        seconds: Math.round(seconds * 1000) / 1000,
      })
    }
  }
}

/** Writes a log entry of the SDK or of its native part. */
export function logLine({ level, message, meta = {} }: LogEntry, write: Write): void {
  // `zeroshift-train` has no workflows, by design.
  if (message.startsWith('No workflows registered')) return
  const { error } = meta
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  write(level, message, fieldsOf(meta), cause instanceof Error ? cause : undefined)
}

/**
 * Returns the run, stage and attempt of a log entry and its other plain values, without fields that
 * are only of use to Temporal.
 */
function fieldsOf(meta: Readonly<Record<string, unknown>>): Fields {
  const { workflowId, workflowType, activityId, activityType } = meta
  const plain = Object.entries(meta).filter(
    ([name, value]) => !fieldsOfTemporal.has(name) && ['string', 'number', 'boolean'].includes(typeof value),
  )
  const rest = Object.fromEntries(plain) as Fields
  if (typeof activityId === 'string' && typeof activityType === 'string') {
    const { attempt: _, ...about } = rest
    return { ...attemptOf(meta as unknown as ActivityWords), ...about }
  }
  if (typeof workflowId !== 'string') return rest
  const type = typeof workflowType === 'string' ? workflowType : ''
  return { run: runOf(workflowId, type), ...(type && { workflow: type }), ...rest }
}

const fieldsOfTemporal: ReadonlySet<string> = new Set([
  ...['workflowId', 'workflowType', 'activityId', 'activityType'],
  ...['isLocal', 'taskToken', 'namespace', 'sdkComponent', 'workflowRunId', 'runId'],
])
