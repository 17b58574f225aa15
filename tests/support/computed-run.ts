import { pathToFileURL } from 'node:url'
import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import { createActivities, type ActivityOptions, type ReportTask } from '../../activities/index.ts'
import { plan } from '../../experiment/plan/plan.ts'
import { runId, type RunInput } from '../../experiment/records/run.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { inspectDataset } from '../../datasets/index.ts'
import { quietEnvironment } from './activity-environment.ts'

/** A run on digits whose stages take a second together. */
export async function tinyRun(store: string, seed = 1): Promise<RunInput> {
  const spec = specSchema.parse({
    name: 'tiny',
    seed: { training: seed },
    data: { name: 'digits' },
    split: { kind: 'class', classes: [3] },
    model: { name: 'mlp', hidden: [8] },
    training: { epochs: 1 },
    gold: { models: 1 },
    methods: [{ method: 'retrain' }],
  })
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  const planned = plan(spec, facts)
  const command = { config: 'tiny.yaml', overrides: [] }
  return {
    run: { id: runId(spec.name, planned), spec, facts, plan: planned, command },
    settings: { store: pathToFileURL(store).href },
  }
}

/**
 * Computes a run and renders its report with the real activities, as a worker does, without a
 * server.
 */
export async function computeRun(
  { run, settings }: RunInput,
  options: Pick<ActivityOptions, 'signer'> = {},
): Promise<void> {
  const activities = createActivities(options)
  const environment = quietEnvironment()
  await environment.run(activities.kept, { run, settings })
  for (const stage of stagesOf(run.plan)) {
    const activity = activities[stage.kind] as (task: object) => Promise<object>
    await environment.run(activity, { stage, settings })
  }
  await environment.run((task: ReportTask) => activities.report(task), { run, settings, failed: [] })
}
