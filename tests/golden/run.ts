import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changedCode, codeNames } from '../../activities/runtime/code-digests.ts'
import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import { createActivities } from '../../activities/index.ts'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { inspectCheckpoint } from '../../pretrained/read.ts'
import { digestOf } from '../../common/canonical.ts'
import { codeNameOf, type CodeName } from '../../experiment/stages/code.ts'
import { isNotUnlearned, methodSchemas, type BuiltInMethodName } from '../../experiment/spec/methods.ts'
import { plan } from '../../experiment/plan/plan.ts'
import { leastModels } from '../../experiment/plan/population.ts'
import type { Plan, TuningPlan } from '../../experiment/plan/types.ts'
import { specSchema, type Spec } from '../../experiment/spec/spec.ts'
import { requestedByKind, requestedKinds } from '../../experiment/stages/requested.ts'
import { stagesOf, trialStages, tuningSeedStages } from '../../experiment/stages/stage-list.ts'
import { keyOf, type Stage, type StageOf, type StageRef } from '../../experiment/stages/stage.ts'
import { inspectDataset } from '../../datasets/index.ts'
import { quietEnvironment } from '../support/activity-environment.ts'
import { tinyResnet, writeCheckpoint } from '../support/tiny-checkpoint.ts'

/**
 * Computes every stage kind and every method on toy sizes, and writes what came out:
 *
 *     tsx tests/golden/run.ts OUT.json
 *
 * Two checkouts compute the same results for these stages when their files are the same on one
 * machine.
 */

// Trainings as short as these would not be compiled. This setting compiles them, so that both ways
// can be compared.
process.env.ZEROSHIFT_GRAPHS ??= 'always'

export interface Golden {
  /** Bodies whose code is not the locked one. */
  readonly changed: readonly CodeName[]
  /** By experiment and title. */
  readonly stages: Readonly<Record<string, GoldenStage>>
}

export interface GoldenStage {
  /** The body that computes the stage. */
  readonly name: CodeName
  /** The bodies that computed its inputs, and the inputs of these. */
  readonly after: readonly CodeName[]
  /** Of the outputs and metrics. */
  readonly digest: string
}

/** Options that make a method take a few steps, where one epoch or its defaults would take more. */
const toys: Readonly<Partial<Record<BuiltInMethodName, object>>> = {
  unsir: { noiseBatches: 2 },
  fisher: { samples: 50 },
  influence: { samples: 50 },
  amun: { epsilon: 1, attackSteps: 3 },
  'sfr-on': { iterations: 4, every: 2 },
  rfa: { steps: 5, rank: 2, retainedSamples: 200 },
}
const methods = methodSchemas.flatMap(({ shape }) => {
  const method = shape.method.value
  if (isNotUnlearned(method) || method === 'replay') return []
  return [{ method, ...('epochs' in shape && { epochs: 1 }), ...toys[method] }]
})

/** The target of rfa whose code is its own. */
const leaveOutTop = {
  ...{ method: 'rfa', target: 'leave-out-top', start: 'closed-form', steps: 0, rank: 5 },
  ...{ layers: ['conv2', 'linear1', 'head'], top: 'linear1', retainedSamples: 200 },
}

const shared = {
  data: { name: 'digits', validation: 0.1 },
  split: { kind: 'class', classes: [3] },
  training: { epochs: 1, batchSize: 64 },
  gold: { models: 1 },
}
const cnn = { name: 'cnn', channels: [4, 8], hidden: 16 }

async function specs(
  directory: string,
): Promise<readonly { readonly spec: Spec; readonly settings: object }[]> {
  const modelDirectory = writeCheckpoint(join(directory, 'checkpoint'), tinyResnet)
  const checkpoint = await inspectCheckpoint(modelDirectory)
  const requested = requestedKinds.map((kind) => [kind, requestedByKind[kind].example] as const)
  const judged = { ...shared, shadow: { models: 8 }, ...Object.fromEntries(requested) }
  const of = (name: string, spec: object, settings: object = {}) => ({
    spec: specSchema.parse({ name, ...spec }),
    settings,
  })
  return [
    of('methods', { ...shared, model: cnn, methods: [{ method: 'original' }, ...methods] }),
    // What judges a model is the same for all methods.
    of('judged', {
      ...{ ...judged, model: cnn },
      methods: [{ method: 'original' }, { method: 'finetune', epochs: 1 }, { method: 'rfa', ...toys.rfa }],
    }),
    of('targets', { ...shared, model: cnn, methods: [{ method: 'original' }, leaveOutTop] }),
    of('seeds', {
      ...shared,
      seeds: 3,
      model: { name: 'mlp', hidden: [8] },
      methods: [{ method: 'finetune', epochs: 1 }],
    }),
    of('replay', {
      ...shared,
      ...{ model: cnn, split: { kind: 'random', count: 1 }, methods: [{ method: 'replay' }] },
      training: {
        ...{ epochs: 2, batchSize: 64, augment: { crop: 1, flip: true }, replay: { checkpoints: 4 } },
        order: { name: 'risky-last', classes: [3], last: 0.5 },
      },
    }),
    of('tuning', { ...shared, model: cnn, tune: { trials: 2 }, methods }),
    of(
      'pretrained',
      { ...shared, model: { name: 'pretrained', checkpoint }, methods: [{ method: 'rfa', ...toys.rfa }] },
      { modelDirectory },
    ),
  ]
}

/** Enough models for every figure of populations: those of the few seeds, again and again. */
function ofManyModels({ key: _, title, ...keyed }: StageOf<'population'>): StageOf<'population'> {
  const names = Object.keys(keyed.inputs) as (keyof typeof keyed.inputs)[]
  const own = names.length / 2
  const inputs = Object.fromEntries(
    Array.from({ length: leastModels.klom }, (_, i) => i).flatMap((i) =>
      (['unlearned', 'gold'] as const).map((kind) => [
        `${kind}${i + 1}`,
        keyed.inputs[`${kind}${(i % own) + 1}`],
      ]),
    ),
  ) as StageOf<'population'>['inputs']
  return { ...keyed, inputs, key: keyOf({ ...keyed, inputs }), title: `${title}, many models` }
}

/** The stages of the tuning and their inputs. The methods themselves are computed besides. */
function ofTuning({ dataset, split }: Plan, { seeds, rows }: TuningPlan): readonly Stage[] {
  return [dataset, split, ...seeds.flatMap(tuningSeedStages), ...rows.flatMap(trialStages)]
}

async function golden(directory: string): Promise<Golden> {
  const store = join(directory, 'store')
  const artifacts = openArtifacts(store)
  const changed = await changedCode(codeNames)
  const activities = createActivities()
  const environment = quietEnvironment()
  const stages: Record<string, GoldenStage> = {}
  const ancestors = new Map<string, readonly CodeName[]>()
  for (const { spec, settings } of await specs(directory)) {
    const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
    const planned = plan(spec, facts, changed)
    const populations = (planned.population ?? []).map(({ stage }) => ofManyModels(stage))
    const computed = planned.tuning ? ofTuning(planned, planned.tuning) : stagesOf(planned)
    for (const stage of [...computed, ...populations]) {
      const activity = activities[stage.kind] as (task: object) => Promise<object>
      await environment.run(activity, { stage, settings: { store, ...settings } })
      const manifest = await artifacts.complete(stage)
      if (!manifest) throw new Error(`the golden stage '${stage.title}' left no manifest`)
      const digest = digestOf({ outputs: manifest.outputs, metrics: manifest.metrics })
      const name = codeNameOf(stage)
      const inputs = Object.values<StageRef>(stage.inputs).flatMap(({ key }) => ancestors.get(key) ?? [])
      ancestors.set(stage.key, [...new Set([name, ...inputs])])
      stages[`${spec.name}: ${stage.title}`] = { name, after: [...new Set(inputs)], digest }
    }
  }
  return { changed: Object.keys(changed) as CodeName[], stages }
}

const directory = mkdtempSync(join(tmpdir(), 'zeroshift-golden-'))
try {
  const [out = 'golden.json'] = process.argv.slice(2)
  writeFileSync(out, `${JSON.stringify(await golden(directory), null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true })
}
