import { answering, executeWorkflow, type ExecuteOptions } from '../launch/execute-workflow.ts'
import { sayChangedCode } from '../output/changed-code.ts'
import { inspecting, prepare, readConfig, settingsOf } from '../launch/prepare.ts'
import { runJob } from '../launch/run-job.ts'
import type { Output } from '../output/output.ts'

export interface RunOptions extends ExecuteOptions {
  readonly set?: readonly string[]
  readonly dryRun?: true
  readonly store?: string
}

/** `zeroshift run`. Answers the exit code. */
export async function run(config: string, options: RunOptions): Promise<number> {
  return answering(options, (io) => attempt(config, options, io))
}

async function attempt(config: string, options: RunOptions, io: Output): Promise<number> {
  const { say } = io
  const asked = { config, overrides: options.set ?? [], store: options.store }
  const parsed = await readConfig(asked)
  if (options.dryRun) {
    const { dryRun } = await import('../output/dry-run.ts')
    return dryRun(await prepare(asked, parsed, inspecting(say)), io)
  }

  // A place that can be no store is refused before servers are started for it.
  const { store } = settingsOf(asked, parsed)
  return executeWorkflow(options, io, store, async () => {
    const input = await prepare(asked, parsed, inspecting(say))
    sayChangedCode([input.run], io)
    return runJob(input)
  })
}
