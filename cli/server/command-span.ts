import type { ClientInterceptors } from '@temporalio/client'
import type { OpenSpan } from '../../worker/telemetry/trace.ts'
import { printError } from '../output/print.ts'

/** The span of this process's command, the parent of everything that it starts on Temporal. */
let command: OpenSpan | undefined

/** The commands that start workflows. */
const verbs: ReadonlySet<string> = new Set(['run', 'sweep', 'resume', 'verify'])

/**
 * Begins the command's span. Returns a function that ends and sends it, or undefined if tracing is
 * disabled.
 */
export async function beginCommand(verb: string): Promise<((exitCode: number) => Promise<void>) | undefined> {
  if (!verbs.has(verb)) return undefined
  const { tracing } = await import('../../worker/telemetry/trace.ts')
  const spans = await tracing('zeroshift', (message) => {
    printError(`OpenTelemetry: ${message}`)
  })
  if (!spans) return undefined
  const span = spans.begin({ name: `zeroshift ${verb}` })
  command = span
  return async (exitCode) => {
    const problem = exitCode === 0 ? undefined : `exit code ${exitCode}`
    span.end({ 'process.exit.code': exitCode }, problem)
    await spans.close()
  }
}

/**
 * Returns the interceptors by which a client passes on the command's span, none if there is no
 * span.
 */
export async function traceInterceptors(): Promise<ClientInterceptors> {
  if (!command) return {}
  const { traceparent } = command
  const { withTraceparent } = await import('../../workflows/trace-header.ts')
  return {
    workflow: [
      {
        startWithDetails: (input, next) =>
          next({ ...input, headers: withTraceparent(input.headers, traceparent) }),
      },
    ],
  }
}
