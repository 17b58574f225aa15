import { manifestsOf } from '../../activities/report.ts'
import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { inspectDataset } from '../../datasets/index.ts'
import { runId, type RunRecord } from '../../experiment/records/run.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import type { ReportInput } from '../../report/input.ts'
import { answerCaches, type AnswerContext } from '../../ui/server/answers/context.ts'
import { computePlan } from './computed-plan.ts'

/** A small run of digits whose stages are all computed, with its record in the store. */
export interface SampledRun {
  readonly artifacts: Artifacts
  readonly run: RunRecord
  readonly input: ReportInput
  readonly context: AnswerContext
}

export async function sampledRun(): Promise<SampledRun> {
  const spec = specSchema.parse({
    name: 'sampled',
    data: { name: 'digits' },
    split: { kind: 'class', classes: [3] },
    model: { name: 'mlp', hidden: [8] },
    training: { epochs: 2 },
    methods: [{ method: 'original' }, { method: 'finetune', epochs: 1 }],
  })
  const { artifacts, plan } = await computePlan(spec)
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  const run = {
    id: runId(spec.name, plan),
    spec,
    facts,
    plan,
    command: { config: 'sampled.yaml', overrides: [] },
  }
  await artifacts.putRun(run)
  const input = { run, manifests: await manifestsOf(artifacts, run), failed: [] }
  return { artifacts, run, input, context: answerContext(artifacts) }
}

/** What answers about one run are made from. */
export function answerContext(artifacts: Artifacts): AnswerContext {
  return {
    ...{ artifacts, ...answerCaches() },
    snapshot: () => Promise.reject(new Error('no list of runs is needed')),
    session: () => Promise.reject(new Error('no session is needed')),
    lastCheck: () => Promise.resolve(undefined),
  }
}
