import type { Artifacts } from '../artifacts/artifacts.ts'
import type {
  ComparedHalving,
  ComparedRun,
  Comparison,
  HalvingDecision,
} from '../experiment/sweep/comparison.ts'
import { Halving } from '../experiment/sweep/halving.ts'
import { objectiveOf, type SweepRecord } from '../experiment/sweep/sweep.ts'
import { commandOf, quoted } from '../report/command.ts'
import { SharedManifests, storedOutcome } from './stored-outcome.ts'

/** Compares the runs of a sweep by the reports that they have in the store. */
export async function comparisonOf(artifacts: Artifacts, sweep: SweepRecord): Promise<Comparison> {
  const failures = new Map((sweep.failures ?? []).map(({ run, reason }) => [run, reason]))
  const compared = new Map<string, ComparedRun>()
  const manifests = new SharedManifests(artifacts)
  for (const { values, runs } of sweep.cells)
    for (const id of runs)
      compared.set(id, await comparedRun(artifacts, id, values, failures.get(id), manifests))
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

async function comparedRun(
  artifacts: Artifacts,
  id: string,
  values: ComparedRun['values'],
  failure: string | undefined,
  manifests: SharedManifests,
): Promise<ComparedRun> {
  const record = await artifacts.run(id)
  const outcome = record && (await storedOutcome(artifacts, record, manifests))
  return {
    id,
    values,
    command: record ? commandOf(record) : '',
    ...(outcome && { link: `../../../runs/${id}/report/index.html` }),
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
