import type { ClientInterceptors } from '@temporalio/client'
import type { OpenSpan } from '../../worker/telemetry/trace.ts'
import { printError } from '../output/print.ts'

/** The span of this process's command: what it starts on Temporal is below it. */
let command: OpenSpan | undefined

/** The verbs that start something. */
const verbs: ReadonlySet<string> = new Set(['run', 'sweep', 'resume', 'verify'])

/** Begins the command's span. Answers what ends it and sends it; undefined where nobody wants it. */
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

/** What a client hands the command's span on by; none where there is no span. */
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
