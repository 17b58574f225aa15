import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { answerFromStore, mayAnswerFromStore } from '../launch/answer-from-store.ts'
import { withServer, type LaunchOptions } from '../launch/command-server.ts'
import { launchRun, watchRun } from '../launch/launch-run.ts'
import { createInspection } from '../launch/inspection.ts'
import { prepare } from '../launch/prepare.ts'
import { readConfig } from '../launch/read-config.ts'
import { runSettings } from '../launch/run-settings.ts'
import { interrupted } from '../launch/watch-workflow.ts'
import { printChangedCode } from '../output/changed-code.ts'
import { counted } from '../output/format.ts'
import { withOutput } from '../output/output.ts'
import { printStarted } from '../output/started.ts'

interface RunOptions extends LaunchOptions {
  readonly set?: readonly string[]
  readonly dryRun?: true
  readonly store?: string
}

/** `zeroshift run`. Returns the exit code. */
export function run(config: string, options: RunOptions): Promise<number> {
  return withOutput(options, async (output) => {
    const source = { config, overrides: options.set ?? [], store: options.store }
    const parsed = await readConfig(source)
    const inspect = createInspection(output.printLine)
    if (options.dryRun) {
      const { printPlan } = await import('../output/dry-run.ts')
      return printPlan(await prepare(source, parsed, inspect), output)
    }

    const settings = runSettings(source, parsed)
    return withServer(settings.store, options, output, async (server) => {
      const mayBeStored = await mayAnswerFromStore(settings, options, server)
      if (!mayBeStored) server.start()
      const input = await prepare(source, parsed, inspect)
      printChangedCode([input.run], output)
      const stored = mayBeStored ? await answerFromStore(input, output) : undefined
      const { summariseRun } = await import('../output/run-summary.ts')
      if (stored) return summariseRun(input, stored, output)
      const launched = await launchRun(input, server)
      if (launched && options.detach)
        return printStarted(input.run.id, counted(stagesOf(input.run.plan).length, 'stage'), output)
      return summariseRun(input, launched ? await watchRun(launched, input, server) : interrupted, output)
    })
  })
}
