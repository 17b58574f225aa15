import { pino, stdTimeFunctions } from 'pino'
import type { LogEntry } from '@temporalio/worker'
import { withoutCredentials } from '../../common/credentials.ts'
import { isJsonLog, levelOf, levels, type Level } from '../worker-log.mjs'
import { runOf } from '../../workflows/names.ts'
import { attemptOf, type ActivityWords, type Watcher } from './attempt-interceptor.ts'

/**
 * What a worker says, on standard error: a line each, for people where that is a terminal and as JSON elsewhere, unless
 * ZEROSHIFT_LOG_FORMAT (`text` or `json`) says otherwise. A line from an activity has its run, stage and attempt.
 */

type Fields = Readonly<Record<string, string | number | boolean>>

export type Write = (level: Level, message: string, fields?: Fields, error?: Error) => void

/** A reader that has gone away ends no worker: `console` lets such errors pass. */
const standardError = {
  write: (line: string): void => {
    console.error(line.trimEnd())
  },
}

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
      // Levels are decided before.
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

/** A line for the beginning and one for the end of every attempt at a stage. What failed is told by the SDK, with the reason. */
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

/** A line of the SDK's, of either of its halves. */
export function logLine({ level, message, meta = {} }: LogEntry, write: Write): void {
  // `zeroshift-train` has no workflows, by design.
  if (message.startsWith('No workflows registered')) return
  const { error } = meta
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  write(level, message, fieldsOf(meta), cause instanceof Error ? cause : undefined)
}

/** Whose line it is, and what else it says in plain values; numbers that only mean something to Temporal left out. */
function fieldsOf(meta: Readonly<Record<string, unknown>>): Fields {
  const { workflowId, workflowType, activityId, activityType } = meta
  const plain = Object.entries(meta).filter(
    ([name, value]) => !temporalsOwn.has(name) && ['string', 'number', 'boolean'].includes(typeof value),
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

const temporalsOwn: ReadonlySet<string> = new Set([
  ...['workflowId', 'workflowType', 'activityId', 'activityType'],
  ...['isLocal', 'taskToken', 'namespace', 'sdkComponent', 'workflowRunId', 'runId'],
])
