import type { Artifacts } from '../../artifacts/artifacts.ts'
import { pooled } from '../../artifacts/pooled.ts'
import { StoreView } from '../../artifacts/store-view.ts'
import { canonicalJson } from '../../common/canonical.ts'
import { recordOf, type RunInput } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { sayChangedCode } from '../output/changed-code.ts'
import { answering, executeWorkflow, type ExecuteOptions } from '../launch/execute-workflow.ts'
import { estimateFrom, type Estimate } from '../output/estimate.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { counted, duration } from '../output/format.ts'
import { prepareSweep, readSweep, type PreparedSweep } from '../launch/prepare-sweep.ts'
import { columns, whereOf } from '../output/print.ts'
import { sweepJob } from '../launch/sweep-job.ts'
import type { Output } from '../output/output.ts'
import { refuseUnusable } from '../launch/usable-places.ts'
import { wholeNumber } from '../options/whole-number.ts'

export interface SweepOptions extends ExecuteOptions {
  readonly set?: readonly string[]
  readonly dryRun?: true
  readonly store?: string
  readonly maxParallel?: string
}

/** `zeroshift sweep`. Answers the exit code. */
export function sweep(config: string, options: SweepOptions): Promise<number> {
  return answering(options, (io) => attempt(config, options, io))
}

async function attempt(config: string, options: SweepOptions, io: Output): Promise<number> {
  const maxParallel =
    options.maxParallel === undefined ? undefined : wholeNumber('--max-parallel', options.maxParallel, 500)
  const asked = { config, overrides: options.set ?? [], store: options.store }
  const read = await readSweep(asked)
  const prepared = await prepareSweep(asked, read, io.say)
  const artifacts = await artifactsIn(prepared.store)
  const costs = await costsOf(artifacts, prepared)
  sayChangedCode(
    [...prepared.runs.values()].map(({ run }) => run),
    io,
  )
  sayCosts(prepared, costs, io)
  if (options.dryRun) return planned(prepared, costs, io)
  return executeWorkflow(options, io, prepared.store, async () => {
    await refuseUnusable(prepared.store)
    await keep(artifacts, prepared)
    const { sweep, store } = prepared
    return sweepJob(sweep, { id: sweep.id, store, maxParallel: maxParallel ?? read.space.maxParallel })
  })
}

/** What a sweep has before it, in stages. */
interface Costs {
  /** Of all runs, each counted for itself. */
  readonly all: number
  readonly distinct: number
  readonly cached: ReadonlySet<string>
  readonly estimate: Estimate
}

async function costsOf(artifacts: Artifacts, { runs }: PreparedSweep): Promise<Costs> {
  const lists = [...runs.values()].map(({ run }) => stagesOf(run.plan))
  const distinct = new Map(lists.flat().map((stage): [string, Stage] => [stage.key, stage]))
  const view = new StoreView(artifacts)
  const cached = await pooled([...distinct.values()], async (stage) =>
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

function sayCosts({ sweep, runs, store }: PreparedSweep, costs: Costs, { say }: Output): void {
  const { all, distinct, cached, estimate } = costs
  const over = sweep.columns.map(({ name }) => name).join(', ')
  const rungs = runs.size > sweep.cells.length ? `, ${runs.size} runs at all rungs` : ''
  say(
    `${sweep.id}: ${counted(sweep.cells.length, 'cell')}${over && ` over ${over}`}${rungs}, results in ${whereOf(store)}`,
  )
  const compute = distinct - cached.size
  say(
    `${counted(all, 'stage')} in all: ${all - distinct} shared, ${cached.size} cached, ${compute} to compute`,
  )
  if (compute > 0) say(estimateLine(estimate))
}

function estimateLine({ seconds, from, unknown }: Estimate): string {
  if (from === 0) return 'How long that takes is not known: the store has no stages like these yet.'
  const left = unknown.length > 0 ? `, without ${unknown.join(', ')}, of which there are none yet` : ''
  return `About ${duration(seconds)} of work for one worker, by ${from} stages of earlier runs${left}.`
}

const MOST_ROWS = 40

/** The cells as a table, and what each has left to compute. */
function planned({ sweep, runs }: PreparedSweep, costs: Costs, { say, answer }: Output): number {
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
  say(columns([['CELL', ...sweep.columns.map(({ name }) => name), 'RUN', 'TO COMPUTE'], ...rows]))
  if (cells.length > MOST_ROWS) say(`and ${cells.length - MOST_ROWS} more (all of them with --json)`)
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
    estimate,
  })
}

/** Everything that is to be run, before anything runs. What is there as it is to be stays, with what failed of it. */
export async function keep(artifacts: Artifacts, { sweep, runs }: PreparedSweep): Promise<void> {
  await pooled([...runs.values()], async (input) => {
    if (!(await isKept(artifacts, input))) await artifacts.putRun(recordOf(input))
  })
  const { failures } = (await artifacts.sweep(sweep.id)) ?? {}
  await artifacts.putSweep({ ...sweep, ...(failures && { failures }) })
}

async function isKept(artifacts: Artifacts, input: RunInput): Promise<boolean> {
  const kept = await artifacts.run(input.run.id)
  if (!kept) return false
  const { failed: _, ...record } = kept
  return canonicalJson(record) === canonicalJson(recordOf(input))
}
