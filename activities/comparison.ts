import type { Artifacts } from '../artifacts/artifacts.ts'
import { inOrder } from '../common/concurrency.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import type {
  ComparedHalving,
  ComparedRun,
  Comparison,
  HalvingDecision,
} from '../experiment/sweep/comparison.ts'
import { differingColumns } from '../experiment/sweep/differing-columns.ts'
import { Halving } from '../experiment/sweep/halving.ts'
import { objectiveOf, type SweepRecord } from '../experiment/sweep/sweep.ts'
import { commandOf, quoted } from '../report/command.ts'
import { SharedManifests, storedOutcome } from './stored-outcome.ts'

/** The results of a run as a comparison shows them. `outcome` is absent without a report. */
export interface FoundRun {
  /** The command that reproduces the run. */
  readonly command: string
  readonly outcome?: ComparedRun['outcome']
  /** The page of the run's report. Absent if there is none. */
  readonly link?: string
}

/** Returns the results of a run, or undefined if there is no such run. */
export type FindRun = (id: string) => Promise<FoundRun | undefined>

/**
 * Compares the runs of a sweep by the reports that they have in the store, unless `find` gives
 * their results.
 */
export async function comparisonOf(
  artifacts: Artifacts,
  sweep: SweepRecord,
  find: FindRun = findIn(artifacts),
): Promise<Comparison> {
  const failures = new Map((sweep.failures ?? []).map(({ run, reason }) => [run, reason]))
  const compared = new Map<string, ComparedRun>()
  for (const { values, runs } of sweep.cells)
    for (const id of runs) compared.set(id, comparedRun(id, values, failures.get(id), await find(id)))
  const halving = halvingOf(sweep, compared)
  const stopped = new Map(
    halving?.decisions.flatMap(({ cell, rung, decision }) => (decision === 'stopped' ? [[cell, rung]] : [])),
  )
  return {
    sweep: sweep.id,
    command: commandFor(sweep),
    columns: sweep.columns,
    runs: sweep.cells.flatMap(({ runs }, cell) => {
      const run = compared.get(runs.at(-1) ?? '')
      if (!run) return []
      const rung = stopped.get(cell)
      if (rung === undefined || !('missing' in run.outcome)) return [run]
      return [{ ...run, outcome: { missing: `stopped early, at rung ${rung + 1}` } }]
    }),
    ...(halving && { halving }),
  }
}

function commandFor({ command: { config, overrides } }: SweepRecord): string {
  return ['./zeroshift sweep', quoted(config), ...overrides.flatMap((text) => ['-S', quoted(text)])].join(' ')
}

function findIn(artifacts: Artifacts): FindRun {
  const manifests = new SharedManifests(artifacts)
  return async (id) => {
    const record = await artifacts.run(id)
    const outcome = record && (await storedOutcome(artifacts, record, manifests))
    return (
      record && {
        command: commandOf(record),
        ...(outcome && { outcome, link: `../../../runs/${id}/report/index.html` }),
      }
    )
  }
}

function comparedRun(
  id: string,
  values: ComparedRun['values'],
  failure: string | undefined,
  { command = '', outcome, link }: Partial<FoundRun> = {},
): ComparedRun {
  return {
    ...{ id, values, command },
    ...(link !== undefined && { link }),
    outcome: outcome && failure === undefined ? outcome : { missing: failure ?? 'it has not been run yet' },
  }
}

/** Repeats the decisions of successive halving from the figures, which determine them. */
function halvingOf(
  { space, cells }: SweepRecord,
  runs: ReadonlyMap<string, ComparedRun>,
): ComparedHalving | undefined {
  const { halving } = space
  if (!halving) return undefined
  const rungs = halving.rungs.length + 1
  const queue = new Halving(cells.length, rungs, halving.factor)
  const decided: Omit<HalvingDecision, 'decision'>[] = []
  for (let item = queue.take(); item; item = queue.take()) {
    const { cell, rung } = item
    const run = cells[cell]?.runs[rung] ?? ''
    const outcome = runs.get(run)?.outcome ?? { missing: 'it has not been run yet' }
    const objective = 'missing' in outcome ? 'none' : objectiveOf(outcome.rows, halving)
    decided.push({
      cell,
      rung,
      run,
      values: cells[cell]?.values ?? [],
      metric:
        objective === 'none'
          ? { missing: 'missing' in outcome ? outcome.missing : `it has no ${halving.metric}` }
          : { value: objective },
    })
    queue.record(item, objective)
  }
  return {
    metric: halving.metric,
    factor: halving.factor,
    resource: halving.resource,
    rungs: halving.rungs,
    decisions: decided
      .sort((a, b) => a.rung - b.rung || a.cell - b.cell)
      .map((one) => ({
        ...one,
        decision:
          one.rung === rungs - 1
            ? 'ended'
            : queue.entered({ cell: one.cell, rung: one.rung + 1 })
              ? 'promoted'
              : 'stopped',
      })),
  }
}

/**
 * Returns the comparison of these runs. A run without a report is listed as missing, with the
 * command that completes it.
 */
export async function comparisonOfRuns(
  artifacts: Artifacts,
  runs: readonly RunRecord[],
  store?: string,
): Promise<Comparison> {
  const manifests = new SharedManifests(artifacts)
  return comparisonAmong(
    await inOrder(runs, async (run) => ({ run, outcome: await outcomeIn(artifacts, run, store, manifests) })),
    store,
  )
}

/** A run with its results, as comparisons show them. */
export interface RunWithOutcome {
  readonly run: RunRecord
  readonly outcome: ComparedRun['outcome']
}

/** The comparison of runs whose results are known. */
export function comparisonAmong(runs: readonly RunWithOutcome[], store?: string): Comparison {
  const found = differingColumns(runs.map(({ run: { spec } }) => spec))
  return {
    command: `./zeroshift compare ${runs.map(({ run: { id } }) => quoted(id)).join(' ')}${whereOf(store)}`,
    columns: found.columns,
    runs: runs.map(({ run, outcome }, i) => ({
      ...{ id: run.id, values: found.values[i] ?? [], command: commandOf(run), outcome },
    })),
  }
}

/** The results of a run for comparisons. */
export async function outcomeOfRun(artifacts: Artifacts, run: RunRecord): Promise<ComparedRun['outcome']> {
  return outcomeIn(artifacts, run, undefined, new SharedManifests(artifacts))
}

const whereOf = (store: string | undefined) => (store === undefined ? '' : ` --store ${quoted(store)}`)

async function outcomeIn(
  artifacts: Artifacts,
  run: RunRecord,
  store: string | undefined,
  manifests: SharedManifests,
): Promise<ComparedRun['outcome']> {
  const [id, where] = [quoted(run.id), whereOf(store)]
  const outcome = await storedOutcome(artifacts, run, manifests)
  if (!outcome) return { missing: `it has no report yet: ./zeroshift resume ${id}${where} finishes it` }
  return 'missing' in outcome
    ? { missing: `${outcome.missing}: ./zeroshift report ${id}${where} writes it again` }
    : outcome
}
