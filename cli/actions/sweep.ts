import type { Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { StoreView } from '../../artifacts/store-view.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { printChangedCode } from '../output/changed-code.ts'
import { withServer, type LaunchOptions } from '../launch/command-server.ts'
import { launchSweep, watchSweep } from '../launch/launch-sweep.ts'
import { saveSweep } from '../launch/save-sweep.ts'
import { interrupted } from '../launch/watch-workflow.ts'
import { estimateFrom, estimateLine, jsonEstimate, type Estimate } from '../output/estimate.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { counted } from '../output/format.ts'
import { prepareSweep, readSweep, type PreparedSweep } from '../launch/prepare-sweep.ts'
import { columns, pathOrUrl } from '../output/print.ts'
import { withOutput, type Output } from '../output/output.ts'
import { printStarted } from '../output/started.ts'
import { summariseSweep } from '../output/sweep-summary.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'
import { wholeNumber } from '../options/whole-number.ts'

interface SweepOptions extends LaunchOptions {
  readonly set?: readonly string[]
  readonly dryRun?: true
  readonly store?: string
  readonly maxParallel?: string
}

/** `zeroshift sweep`. Returns the exit code. */
export function sweep(config: string, options: SweepOptions): Promise<number> {
  return withOutput(options, async (output) => {
    const maxParallel =
      options.maxParallel === undefined ? undefined : wholeNumber('--max-parallel', options.maxParallel, 500)
    const source = { config, overrides: options.set ?? [], store: options.store }
    const parsed = await readSweep(source)
    const prepared = await prepareSweep(source, parsed, output.printLine)
    const { sweep, store } = prepared
    const artifacts = await artifactsIn(store)
    const costs = await sweepCosts(artifacts, prepared)
    printChangedCode(
      [...prepared.runs.values()].map(({ run }) => run),
      output,
    )
    printCosts(prepared, costs, output)
    if (options.dryRun) return printPlannedSweep(prepared, costs, output)
    return withServer(store, options, output, async (server) => {
      server.start()
      await refuseUnusableStore(store)
      await saveSweep(artifacts, prepared)
      const input = { id: sweep.id, store, maxParallel: maxParallel ?? parsed.space.maxParallel }
      const launched = await launchSweep(input, {}, server)
      if (!launched) return summariseSweep(input, interrupted, output)
      if (options.detach) return printStarted(sweep.id, counted(sweep.cells.length, 'cell'), output)
      return summariseSweep(input, await watchSweep(launched, sweep, server), output)
    })
  })
}

/** The number of stages that a sweep has to compute. */
interface Costs {
  /** The number of stages of all runs. A shared stage counts once for each run. */
  readonly all: number
  readonly distinct: number
  readonly cached: ReadonlySet<string>
  readonly estimate: Estimate
}

async function sweepCosts(artifacts: Artifacts, { runs }: PreparedSweep): Promise<Costs> {
  const lists = [...runs.values()].map(({ run }) => stagesOf(run.plan))
  const distinct = new Map(lists.flat().map((stage): [string, Stage] => [stage.key, stage]))
  const view = new StoreView(artifacts)
  const cached = await mapConcurrently([...distinct.values()], async (stage) =>
    (await view.complete(stage)) ? stage.key : undefined,
  )
  const there = new Set(cached.flatMap((key) => key ?? []))
  const missing = [...distinct.values()].filter(({ key }) => !there.has(key))
  return {
    all: lists.reduce((sum, list) => sum + list.length, 0),
    distinct: distinct.size,
    cached: there,
    estimate: await estimateFrom(artifacts, missing),
  }
}

function printCosts({ sweep, runs, store }: PreparedSweep, costs: Costs, { printLine }: Output): void {
  const { all, distinct, cached, estimate } = costs
  const over = sweep.columns.map(({ name }) => name).join(', ')
  const rungs = runs.size > sweep.cells.length ? `, ${runs.size} runs at all rungs` : ''
  printLine(
    `${sweep.id}: ${counted(sweep.cells.length, 'cell')}${over && ` over ${over}`}${rungs}, results in ${pathOrUrl(store)}`,
  )
  const compute = distinct - cached.size
  printLine(
    `${counted(all, 'stage')} in all: ${all - distinct} shared, ${cached.size} cached, ${compute} to compute`,
  )
  if (compute > 0) printLine(estimateLine(estimate))
}

const MOST_ROWS = 40

/**
 * Prints the cells as a table, with the stages that each has left to compute. Returns the exit
 * code.
 */
function printPlannedSweep(
  { sweep, runs }: PreparedSweep,
  costs: Costs,
  { printLine, answer }: Output,
): number {
  const cells = sweep.cells.map(({ values, runs: ids }, i) => {
    const keys = new Set(
      ids.flatMap((id) => {
        const input = runs.get(id)
        return input ? stagesOf(input.run.plan).map(({ key }) => key) : []
      }),
    )
    const missing = [...keys].filter((key) => !costs.cached.has(key)).length
    return { cell: i + 1, run: ids.at(-1) ?? '', values, stages: keys.size, missing }
  })
  const rows = cells
    .slice(0, MOST_ROWS)
    .map(({ cell, run, values, stages, missing }) => [
      String(cell),
      ...values.map((value) => String(value ?? '–')),
      run,
      missing === 0 ? 'cached' : `${missing} of ${stages} stages`,
    ])
  printLine(columns([['CELL', ...sweep.columns.map(({ name }) => name), 'RUN', 'TO COMPUTE'], ...rows]))
  if (cells.length > MOST_ROWS) printLine(`and ${cells.length - MOST_ROWS} more (all of them with --json)`)
  const { all, distinct, cached, estimate } = costs
  return answer(0, {
    id: sweep.id,
    status: 'planned',
    stages: { computed: distinct - cached.size, cached: cached.size },
    cells: cells.map(({ values, ...cell }) => ({
      ...cell,
      values: Object.fromEntries(sweep.columns.map(({ name }, i) => [name, values[i] ?? null])),
    })),
    shared: all - distinct,
    estimate: jsonEstimate(estimate),
  })
}
