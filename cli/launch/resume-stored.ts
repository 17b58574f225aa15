import { existsSync } from 'node:fs'
import { differences } from '../../common/differences.ts'
import { UserError } from '../../common/errors.ts'
import type { RunInput, RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { codeNameOf, codeNamesOf, versionOf, type ChangedCode } from '../../experiment/stages/code.ts'
import { short } from '../../report/format.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { commandOf } from '../../report/command.ts'
import { withServer } from './command-server.ts'
import { launchRun, watchRun } from './launch-run.ts'
import type { ResumeSweepOptions } from './resume-sweep.ts'
import { interrupted } from './watch-workflow.ts'
import { counted } from '../output/format.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { idIn } from '../workspace/named-run.ts'
import { runRecordIn, storeFor } from '../workspace/workspace.ts'
import { createInspection } from './inspection.ts'
import { prepare } from './prepare.ts'
import { readConfig } from './read-config.ts'
import type { Output } from '../output/output.ts'
import { printStarted } from '../output/started.ts'

export interface ResumeOptions extends ResumeSweepOptions {
  readonly store?: string
}

/** Continues a run or a sweep from the results in the store. Returns the exit code. */
export async function resumeStored(word: string, options: ResumeOptions, output: Output): Promise<number> {
  const store = storeFor(options.store)
  const artifacts = await artifactsIn(options.store)
  const id = await idIn(artifacts.store, word)
  const sweep = await artifacts.sweep(id)
  if (sweep) {
    const { resumeSweep } = await import('./resume-sweep.ts')
    return resumeSweep(sweep, store, options, output)
  }
  return resumeRun(await runRecordIn(artifacts, id), store, options, output)
}

async function resumeRun(
  { failed: _, settings, ...run }: RunRecord,
  store: string,
  options: ResumeOptions,
  output: Output,
): Promise<number> {
  refuseSweepOptions(`${run.id} is a single run`, options)
  await refuseOtherCode(run)
  const input: RunInput = { run, settings: { ...settings, store } }
  return withServer(store, options, output, async (server) => {
    server.start()
    await refuseChanges(run, output)
    const launched = await launchRun(input, server)
    if (launched && options.detach)
      return printStarted(run.id, counted(stagesOf(run.plan).length, 'stage'), output)
    const outcome = launched ? await watchRun(launched, input, server) : interrupted
    const { summariseRun } = await import('../output/run-summary.ts')
    return summariseRun(input, outcome, output)
  })
}

/** `what` says what is resumed instead of a sweep. Throws a UserError. */
export function refuseSweepOptions(what: string, options: ResumeOptions): void {
  const given = Object.entries({
    '--failed': options.failed,
    '--restart-failed': options.restartFailed,
    '--extend': options.extend,
    '--max-parallel': options.maxParallel,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 0)
    throw new UserError(`${given.join(', ')}: for sweeps alone, and ${what}; leave it out`)
}

/** Refuses a run whose keys stand for code that differs from the code here. Throws a UserError. */
async function refuseOtherCode(run: RunRecord): Promise<void> {
  const stages = stagesOf(run.plan)
  const { changedCode } = await import('../../activities/runtime/code-digests.ts')
  const changed = await changedCode(codeNamesOf(stages))
  const other = stages.find((stage) => {
    const name = codeNameOf(stage)
    return stage.version !== versionOf(name) || stage.code !== changed[name]
  })
  if (other)
    throw new UserError(
      `${run.id} was begun by other code of ${codeNameOf(other)}: ${differenceOf(other, changed)}. ` +
        `To run it anew: ${commandOf(run)}`,
    )
}

function differenceOf(stage: Stage, changed: ChangedCode): string {
  const name = codeNameOf(stage)
  const described = (version: number, code: string | undefined) =>
    `version ${version}${code === undefined ? '' : `, changed code ${short(code)}`}`
  return `${described(stage.version, stage.code)}; here ${described(versionOf(name), changed[name])}`
}

/** Refuses a run whose config or data has changed since it was started. Throws a UserError. */
async function refuseChanges(run: RunRecord, { printLine }: Output): Promise<void> {
  const { config, overrides, ledger } = run.command
  if (ledger !== undefined) return
  if (!existsSync(config)) {
    printLine(`${config} is not here any more: going on as it was.`)
    return
  }
  const parsed = await readConfig({ config, overrides })
  const now = await prepare({ config, overrides }, parsed, createInspection(printLine))
  const changes = differences(run.spec, now.run.spec)
  if (changes.length > 0)
    throw new UserError([
      {
        message: `${config} has changed since ${run.id} was started, which goes on only as it was:`,
      },
      ...changes.map(({ path, before, after }) => ({ message: `  ${path}: ${before}, now ${after}` })),
      {
        message: `Undo the change, or start what it says now as a run of its own, which reuses what they share: ${commandOf(run)}`,
      },
    ])
  const data = differences(run.facts, now.run.facts)
  if (data.length > 0)
    throw new UserError(
      `the data has changed since ${run.id} was started: ${data.map(({ path, before, after }) => `${path}: ${before}, now ${after}`).join('; ')}. ` +
        `To run it on the data of today: ${commandOf(run)}`,
    )
}
