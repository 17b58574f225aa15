import { layersOf } from '../../experiment/models/model.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { ApproximateMethodSpec, BuiltInMethodName, MethodSpecOf } from '../../experiment/spec/methods.ts'
import type { DeviceData } from '../../learning/data/device-data.ts'
import {
  loadMethod,
  type KeptTraining,
  type UnlearnContext,
  type Unlearned,
  type UnlearnedEnsemble,
} from '../../unlearning/method.ts'
import type { Split } from '../../unlearning/split/split.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { checkedResult } from '../runtime/plugin-result.ts'
import { loadPlugin, type PluginSource } from '../runtime/plugin.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import type { StageContext } from '../runtime/stage.ts'
import { keptStates } from './kept-states.ts'
import { lateSamples } from './late-samples.ts'

/** A method with all that it needs. The caller has to dispose of the data. */
export interface PreparedMethod {
  readonly layers: readonly Layer[]
  readonly split: Split
  readonly data: DeviceData
  readonly apply: () => Promise<Unlearned | UnlearnedEnsemble>
}

type MethodContext = Pick<
  StageContext<'unlearn'> | StageContext<'trial'>,
  'stage' | 'artifacts' | 'inputs' | 'host' | 'untimed' | 'allowsPrograms'
>

/** Loads a method, and the original and the data that the method is applied to. */
export async function prepareMethod(
  { stage, artifacts, inputs, host, untimed, allowsPrograms }: MethodContext,
  method: ApproximateMethodSpec,
): Promise<PreparedMethod> {
  const { model, training, seed } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const original = await readWeights(artifacts, inputs.original, layers)
  const split = await readSplit(artifacts, inputs.split)
  const { retained, forget, validation } = split
  const run = await load({ artifacts, allowsPrograms }, method)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  const trainedBy = inputs.original.params
  const trained =
    'training' in trainedBy && trainedBy.training.replay
      ? ({
          seed: trainedBy.seed,
          late: lateSamples(training.order, facts, data.labels),
          initial: () => readWeights(artifacts, inputs.original, layers, 'initial'),
          states: keptStates(artifacts, inputs.original),
        } satisfies KeptTraining)
      : undefined
  const sets = { retained, forget, validation }
  const context = { layers, original, data, ...sets, training, seed, trained, host, untimed }
  return { layers, split, data, apply: () => run(context) }
}

async function load(
  source: PluginSource,
  method: ApproximateMethodSpec,
): Promise<(context: UnlearnContext) => Promise<Unlearned | UnlearnedEnsemble>> {
  if (method.method !== 'plugin') {
    const run = await loadMethod<BuiltInMethodName>(method.method)
    const target = method.method === 'rfa' ? await loadTarget(source, method.target) : undefined
    return (context) => run(method, target ? { ...context, target } : context)
  }
  const { plugin, options } = method
  const { unlearn } = await loadPlugin(source, 'method', plugin)
  return async (context) => checkedResult(plugin.name, context, await unlearn(context, options))
}

/** Loads the shift target that a plug-in defines. Returns undefined for a built-in one. */
async function loadTarget(
  source: PluginSource,
  target: MethodSpecOf<'rfa'>['target'],
): Promise<UnlearnContext['target']> {
  if (typeof target === 'string') return undefined
  const { plugin, options } = target
  const definition = await loadPlugin(source, 'target', plugin)
  return (material, random) => definition.target(material, random, options)
}
