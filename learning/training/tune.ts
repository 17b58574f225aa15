import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { adaptableLayers, headOf, matchesAny, type Layer } from '../../experiment/models/layers.ts'
import type { TrainingSpec } from '../../experiment/spec/training.ts'
import { augmentation, Batches, stepsOf } from '../data/batches.ts'
import { penultimateFeatures } from '../model/features.ts'
import { AccuracyCurve } from './accuracy-curve.ts'
import type { Fit, Fitted } from './fit.ts'
import { inMicroBatches, type RowsOf } from './micro-batches.ts'
import { adapted, initialAdapter, lora, mergedWeights } from '../model/lora.ts'
import { crossEntropy } from './losses.ts'
import { forward } from '../model/forward.ts'
import {
  packArrays,
  parameterSpecs,
  totalSize,
  unpack,
  unpackArrays,
  type Weights,
} from '../model/parameters.ts'
import { parametersOf } from '../model/predict.ts'
import { stream } from '../random.ts'
import { tf } from '../tensorflow/tf.ts'
import { train } from './train.ts'

export type TuneSpec = NonNullable<TrainingSpec['tune']>

/**
 * Trains part of a pre-trained model: its last layer (a linear probe), or LoRA adapters and the
 * last layer. Adapters are merged at the end. Everything else keeps its value, including the
 * running statistics of batch norms.
 */
export async function tuneModel(tune: TuneSpec, options: Fit): Promise<Fitted> {
  const { layers, initial, data, indices, training, seed, purpose, host } = options
  const head = headOf(layers)
  const headSpecs = parameterSpecs([head]).trained
  const adapter =
    tune.what === 'lora'
      ? lora(
          adaptableLayers(layers).filter((layer) => layer !== head && matchesAny(tune.layers)(layer)),
          tune,
        )
      : undefined
  const adapterSize = totalSize(adapter?.specs ?? [])
  const batches = new Batches(indices, options.batchSize, seed, purpose)
  const base = parametersOf(layers, initial)
  const parametersAt = (flat: Tensor1D) => {
    const part = unpack(headSpecs, flat.slice(adapterSize))
    const whole = adapter ? adapted(adapter, base, flat.slice(0, adapterSize)) : base
    return { ...whole, ...part }
  }
  const steps = stepsOf(options.epochs, batches)
  const measured =
    options.accuracyChecks &&
    new AccuracyCurve(options.accuracyChecks, { layers, data, steps, perEpoch: batches.perEpoch, host })
  let features: Tensor2D | undefined
  try {
    const { crop, flip } = training.augment
    // Without augmentation, the input of the last layer is the same in every epoch.
    if (!adapter && crop === 0 && flip === false)
      features = await penultimateFeatures(layers, base, data, indices, host)
    const logits = (flat: Tensor1D, step: number): Tensor => {
      if (features) {
        const positions = tf.tensor1d(batches.positions(step), 'int32')
        const part = unpack(headSpecs, flat.slice(adapterSize))
        return forward(layers, { ...base, ...part }, tf.gather(features, positions), {
          from: layers.length - 1,
        }).output
      }
      const batch = batches.at(step)
      const augment = augmentation(training, seed, purpose, step, batch, batches.perEpoch)
      const images = data.images(batch, augment)
      data.prefetch(batches.at(step + 1))
      const run: RowsOf = (theta, x) => ({ output: forward(layers, parametersAt(theta), x).output })
      return inMicroBatches(host?.microBatches ?? 1, run, flat, images).output as Tensor
    }
    const { parameters, curve } = await train({
      initial: Float32Array.from([
        ...(adapter ? initialAdapter(adapter, stream(seed, purpose, 'adapter')) : []),
        ...packArrays(headSpecs, unpackArrays(parameterSpecs(layers).trained, initial.trained)),
      ]),
      steps,
      warmupSteps: Math.round((options.warmupEpochs ?? 0) * batches.perEpoch),
      specs: [...(adapter?.specs ?? []), ...headSpecs],
      lookahead: options.lookahead,
      optimizer: options.optimizer,
      schedule: options.schedule,
      loss: (flat, step) => {
        const labels = data.labelsOf(batches.at(step))
        return crossEntropy(logits(flat, step), labels, training.labelSmoothing)
      },
      ...(measured && { callback: measured.callback(parametersAt) }),
      host,
    })
    const merged = adapter
      ? await mergedWeights(adapter, layers, initial, base, parameters.subarray(0, adapterSize))
      : initial
    return {
      weights: withHead(layers, merged, parameters.subarray(adapterSize)),
      steps,
      curve,
      ...(measured && { accuracy: measured.points }),
    }
  } finally {
    measured?.dispose()
    tf.dispose(base)
    features?.dispose()
  }
}

function withHead(layers: readonly Layer[], { trained, statistics }: Weights, head: Float32Array): Weights {
  const { trained: specs } = parameterSpecs(layers)
  const all = unpackArrays(specs, trained)
  const own = unpackArrays(parameterSpecs([headOf(layers)]).trained, head)
  return { trained: packArrays(specs, { ...all, ...own }), statistics }
}
