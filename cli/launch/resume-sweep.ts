import { existsSync } from 'node:fs'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { StoreView } from '../../artifacts/store-view.ts'
import { differences } from '../../common/differences.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Cell, SweepRecord } from '../../experiment/sweep/sweep.ts'
import { withServer, type LaunchOptions } from './command-server.ts'
import { launchSweep, watchSweep } from './launch-sweep.ts'
import { saveSweep } from './save-sweep.ts'
import { interrupted } from './watch-workflow.ts'
import { counted } from '../output/format.ts'
import { prepareSweep, readSweep, type PreparedSweep } from './prepare-sweep.ts'
import type { Output } from '../output/output.ts'
import { printStarted } from '../output/started.ts'
import { summariseSweep } from '../output/sweep-summary.ts'
import { wholeNumber } from '../options/whole-number.ts'

export interface ResumeSweepOptions extends LaunchOptions {
  readonly failed?: true
  readonly restartFailed?: true
  readonly extend?: true
  readonly maxParallel?: string
}

/** `zeroshift resume ID` for a sweep. Completed cells do not run again. Returns the exit code. */
export async function resumeSweep(
  record: SweepRecord,
  store: string,
  options: ResumeSweepOptions,
  output: Output,
): Promise<number> {
  const maxParallel =
    options.maxParallel === undefined
      ? record.space.maxParallel
      : wholeNumber('--max-parallel', options.maxParallel, 500)
  const artifacts = openArtifacts(store)
  const failed = record.failures ?? []
  const again = options.failed ?? options.restartFailed ?? false
  return withServer(store, options, output, async (server) => {
    server.start()
    const extended = await extendedSweep(record, store, options, output)
    if (extended) await saveSweep(artifacts, extended)
    if (options.restartFailed) for (const { run } of failed) await forgetProgress(artifacts, run)
    const sweep = extended?.sweep ?? record
    const input = { id: record.id, store, maxParallel, ...(!again && { leave: failed }) }
    const launched = await launchSweep(input, { again, ...(extended && { extended: true }) }, server)
    if (!launched) return summariseSweep(input, interrupted, output)
    if (options.detach) return printStarted(sweep.id, counted(sweep.cells.length, 'cell'), output)
    return summariseSweep(input, await watchSweep(launched, sweep, server), output)
  })
}

/**
 * Returns the sweep with the points that were added to its config, or undefined if there are none.
 * Throws a UserError if the config has changed and `--extend` does not allow it.
 */
async function extendedSweep(
  record: SweepRecord,
  store: string,
  { extend }: ResumeSweepOptions,
  { printLine }: Output,
): Promise<PreparedSweep | undefined> {
  const { config, overrides } = record.command
  if (!existsSync(config)) {
    if (extend)
      throw new UserError([{ file: config, message: 'is not here any more: there is nothing to extend by' }])
    printLine(`${config} is not here any more: going on as it was.`)
    return undefined
  }
  const source = { config, overrides, store }
  const now = await prepareSweep(source, await readSweep(source), printLine)
  const gone = missingFrom(record.cells, now.sweep.cells)
  const more = missingFrom(now.sweep.cells, record.cells)
  if (gone.length === 0 && more.length === 0) return undefined
  if (gone.length > 0 || !extend)
    throw new UserError(changedSpaceProblems(record, now.sweep, gone.length, more.length))
  printLine(`${counted(more.length, 'cell')} more than before.`)
  // Known cells keep their positions, since decisions and reports refer to them.
  const known = new Map(now.sweep.cells.map((cell) => [wholeOf(cell), cell]))
  const before = record.cells.map((cell) => known.get(wholeOf(cell)) ?? cell)
  return { ...now, sweep: { ...now.sweep, id: record.id, cells: [...before, ...more] } }
}

const wholeOf = ({ runs }: Cell) => runs.at(-1) ?? ''

function missingFrom(cells: readonly Cell[], others: readonly Cell[]): readonly Cell[] {
  const known = new Set(others.map(({ runs }) => runs.join()))
  return cells.filter(({ runs }) => !known.has(runs.join()))
}

function changedSpaceProblems(
  { id, space, command }: SweepRecord,
  now: SweepRecord,
  gone: number,
  more: number,
): readonly Problem[] {
  const found = differences(space, now.space)
  const what = [
    ...(gone > 0 ? [`${counted(gone, 'cell')} of it gone`] : []),
    ...(more > 0 ? [`${counted(more, 'cell')} more`] : []),
  ].join(', ')
  return [
    { message: `the search space of ${id} is another than when it was started (${what}):` },
    ...found.map(({ path, before, after }) => ({ message: `  ${path}: ${before}, now ${after}` })),
    ...(found.length === 0
      ? [
          {
            message: `  ${command.config} says the same: a base experiment, its data or the code that computes it has changed`,
          },
        ]
      : []),
    {
      message:
        gone > 0
          ? `Undo the change, or start what it says now as a sweep of its own, which reuses what they share: ./zeroshift sweep ${command.config}`
          : `To add the new cells to it: ./zeroshift resume ${id} --extend`,
    },
  ]
}

/** Deletes the checkpoints of a run's unfinished stages, so that they start from the beginning. */
async function forgetProgress(artifacts: Artifacts, id: string): Promise<void> {
  const run = await artifacts.run(id)
  const view = new StoreView(artifacts)
  for (const stage of run ? stagesOf(run.plan) : [])
    if (!(await view.complete(stage))) await artifacts.deleteCheckpoints(stage)
}
