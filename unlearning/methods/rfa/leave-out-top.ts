import type { Tensor } from '@tensorflow/tfjs'
import { flattenLayers, weightRows, type Layer, topLevelIndex } from '../../../experiment/models/layers.ts'
import type { MethodSpecOf } from '../../../experiment/spec/methods.ts'
import { Batches, stepsOf } from '../../../learning/data/batches.ts'
import { frozenFeatures, type FrozenFeatures } from '../../../learning/model/features.ts'
import { forward } from '../../../learning/model/forward.ts'
import { rowsAt } from '../../../learning/model/kernels.ts'
import { mergedWeights, type Lora } from '../../../learning/model/lora.ts'
import {
  initialWeights,
  packArrays,
  parameterSpecs,
  sizeOf,
  totalSize,
  unpackArrays,
  type Weights,
} from '../../../learning/model/parameters.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { fitLoss, type Fitted } from '../../../learning/training/fit.ts'
import { crossEntropy } from '../../../learning/training/losses.ts'
import type { UnlearnContext, Unlearned } from '../../method.ts'
import { lowRank, type Factors } from './low-rank.ts'
import { rfaProblem, type RfaProblem } from './problem.ts'
import { renewed } from './renewed.ts'

/** The share of the filters before the top that get new weights, unless the method gives one. */
const RENEWED = 0.25

/**
 * Residual feature alignment to the features of layers that never saw D_f. The layers from `top` on
 * are trained anew on D_r alone, from new weights and by the recipe of the original's training
 * without its augmentation (EU-k, Goel et al. 2022), on the outputs of the frozen layers below,
 * which are computed once. With h*_l their features, the wanted residual at every layer is, on D_r
 * and on D_f alike,
 *
 *     r_l(x) = h*_l(x) − f_l(x)
 *
 * The layers below the top were trained on D_f as well. In the adapted ones, a share `renew` of the
 * filters gets new random directions before the top is trained, which removes part of what they
 * remember, at no cost. Biases stay those of the original, so that the residual is one of weights:
 * ΔW = W* − W is the adapter. The adapter is exact if `rank` suffices, which is the number of
 * renewed filters in the layers below the top, and the smaller side of the weight matrix in the
 * others. With a smaller rank it is the best one for the outputs on D_r (./low-rank.ts). Batch
 * norms of the top have the parameters and statistics of its training; they are part of the model
 * and not of an adapter, so that a model with such norms has none.
 */
export async function leaveOutTop(method: MethodSpecOf<'rfa'>, context: UnlearnContext): Promise<Unlearned> {
  const { layers, original, seed } = context
  const problem = rfaProblem(method, context)
  const { adapter, samples } = problem
  const first = method.top === undefined ? problem.from : topLevelIndex(layers, method.top)
  const below = adapter.layers.filter(({ name }) => topLevelIndex(layers, name) < first)
  const base = renewed(layers, original, below, method.renew ?? RENEWED, stream(seed, 'rfa', 'renewed'))
  tf.engine().startScope()
  try {
    const top = await trainTop(problem, base, first, context)
    const wanted = withTop(layers, base, first, top.weights)
    const factors = await adapterFactors(problem, original, wanted)
    const parameters = packFactors(adapter, factors)
    const frozen = parametersOf(layers, original)
    const merged = await mergedWeights(adapter, layers, original, frozen, parameters)
    const hasNorms = flattenLayers(layers.slice(first)).some(isNorm)
    return {
      weights: hasNorms ? withNorms(layers, first, merged, wanted) : merged,
      ...(!hasNorms && { adapter: { lora: adapter, parameters } }),
      metrics: {
        trainable: factors.reduce((sum, { a, b }) => sum + a.length + b.length, 0),
        steps: top.steps,
        samplesUsed: { retained: samples.retained.length, forget: 0 },
        curve: top.curve,
      },
    }
  } finally {
    tf.engine().endScope()
  }
}

const isNorm = ({ kind }: Layer) => kind === 'batch-norm' || kind === 'layer-norm'

/** Trains the layers from `first` on from new weights, with the biases of the original, on D_r. */
async function trainTop(
  { method, layers, data, samples, labels, host }: RfaProblem,
  base: Weights,
  first: number,
  { training, seed }: UnlearnContext,
): Promise<Fitted> {
  const top = layers.slice(first)
  const specs = parameterSpecs(top)
  const fresh = initialWeights(specs, stream(seed, 'rfa', 'top'))
  const originals = unpackArrays(parameterSpecs(layers).trained, base.trained)
  const isBias = (name: string) => name.endsWith('.bias')
  const values = unpackArrays(specs.trained, fresh.trained)
  for (const { name } of specs.trained)
    if (isBias(name)) values[name]?.values.set(originals[name]?.values ?? [])
  const mask = specs.trained.flatMap((spec) =>
    new Array<number>(sizeOf(spec)).fill(isBias(spec.name) ? 0 : 1),
  )

  const frozen = parametersOf(layers, base)
  const range = { from: first, to: first, capture: new Set<string>(), host }
  const { input } = await frozenFeatures(layers, frozen, data, samples.retained, range)
  tf.dispose(frozen)
  const positions = Int32Array.from(labels.retained.keys())
  const batches = new Batches(positions, training.batchSize, seed, 'rfa top')
  const trained = await fitLoss({
    layers: top,
    initial: { ...fresh, trained: packArrays(specs.trained, values) },
    mask: Float32Array.from(mask),
    optimizer: training.optimizer,
    schedule: training.schedule,
    lookahead: training.lookahead,
    steps: stepsOf(method.refitEpochs ?? training.epochs, batches),
    warmupSteps: Math.round(training.warmupEpochs * batches.perEpoch),
    loss: (model, step) => {
      const batch = batches.positions(step)
      const logits = model.logits(rowsAt(input, tf.tensor1d(batch, 'int32')))
      const truth = batch.map((position) => labels.retained[position] ?? -1)
      return crossEntropy(logits, tf.tensor1d(truth, 'int32'), training.labelSmoothing)
    },
    host,
  })
  input.dispose()
  return trained
}

/** The model `base` with other layers from `first` on. */
function withTop(layers: readonly Layer[], base: Weights, first: number, top: Weights): Weights {
  const [all, own] = [parameterSpecs(layers), parameterSpecs(layers.slice(first))]
  const joined = (part: 'trained' | 'statistics') =>
    packArrays(all[part], { ...unpackArrays(all[part], base[part]), ...unpackArrays(own[part], top[part]) })
  return { trained: joined('trained'), statistics: joined('statistics') }
}

/** `weights` with the norms of `from` in the layers from `first` on. */
function withNorms(layers: readonly Layer[], first: number, weights: Weights, from: Weights): Weights {
  const all = parameterSpecs(layers)
  const norms = parameterSpecs(flattenLayers(layers.slice(first)).filter(isNorm))
  const joined = (part: 'trained' | 'statistics') => {
    const theirs = unpackArrays(all[part], from[part])
    const own = norms[part].map(({ name }) => [name, theirs[name]] as const)
    const chosen = Object.fromEntries(own.flatMap(([name, tensor]) => (tensor ? [[name, tensor]] : [])))
    return packArrays(all[part], { ...unpackArrays(all[part], weights[part]), ...chosen })
  }
  return { trained: joined('trained'), statistics: joined('statistics') }
}

/** A and B of every adapted layer, in its order. The caller's scope disposes of tensors. */
async function adapterFactors(
  { layers, adapter, data, samples, from, host }: RfaProblem,
  original: Weights,
  wanted: Weights,
): Promise<readonly Factors[]> {
  const specs = parameterSpecs(layers).trained
  const [before, after] = [original, wanted].map(({ trained }) => unpackArrays(specs, trained))
  const target = parametersOf(layers, wanted)
  let kept: Promise<FrozenFeatures> | undefined
  const inputOfSamples = async () => {
    const range = { from, to: from, capture: new Set<string>(), host }
    kept ??= frozenFeatures(layers, target, data, samples.retained, range)
    return (await kept).input
  }
  const inputsOf = (name: string, rows: Tensor): Tensor => {
    const options = { from, to: topLevelIndex(layers, name) + 1, inputsOf: new Set([name]) }
    return forward(layers, target, rows, options).inputs[name] as Tensor
  }
  const factors: Factors[] = []
  for (const layer of adapter.layers) {
    const name = `${layer.name}.weight`
    const old = before?.[name]?.values ?? new Float32Array()
    const change = Float32Array.from(after?.[name]?.values ?? [], (value, i) => value - (old[i] ?? NaN))
    factors.push(
      await lowRank({
        ...{ layer, change, rank: adapter.rank, inputOfSamples, host },
        inputsOf: (rows) => inputsOf(layer.name, rows),
      }),
    )
  }
  return factors
}

/** The flat vector of an adapter. Factors of a lower rank than its own are padded with zeros. */
function packFactors(adapter: Lora, factors: readonly Factors[]): Float32Array {
  const flat = new Float32Array(totalSize(adapter.specs))
  const values = unpackArrays(adapter.specs, flat)
  adapter.layers.forEach((layer, i) => {
    const { a, b, rank } = factors[i] ?? { a: new Float32Array(), b: new Float32Array(), rank: 0 }
    const padded = values[`${layer.name}.lora_A`]?.values
    for (let row = 0; row < weightRows(layer); row++)
      padded?.set(a.subarray(row * rank, (row + 1) * rank), row * adapter.rank)
    values[`${layer.name}.lora_B`]?.values.set(b.map((value) => value / adapter.scale))
  })
  return flat
}
