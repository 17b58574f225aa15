import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { MethodSpec } from '../../../experiment/spec/methods.ts'
import type { OptimizerSpec, ScheduleSpec } from '../../../experiment/spec/optimizer.ts'
import { adaptableLayers, matchesAny } from '../../../experiment/models/layers.ts'
import { inMicroBatches, type RowsOf } from '../../../learning/training/micro-batches.ts'
import { adapted, initialAdapter, lora, mergedWeights } from '../../../learning/model/lora.ts'
import { forward } from '../../../learning/model/forward.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { train } from '../../../learning/training/train.ts'
import type { UnlearnContext, Unlearned } from '../../method.ts'
import type { StudentRun } from './train-student.ts'

interface AdapterOptions extends Pick<
  Extract<MethodSpec, { rank: number }>,
  'rank' | 'alpha' | 'rslora' | 'layers'
> {
  /** The name of the random streams. */
  readonly method: string
}

/**
 * Trains only A and B of a LoRA adapter, with any loss of a student. θ_o is frozen, B = 0 at the
 * start makes the student equal to the original, and batch norms keep their running statistics, as
 * in rfa. The adapter is the only difference between these methods and their counterparts without
 * it.
 */
export async function trainAdapter(
  options: AdapterOptions,
  { layers, original, seed, host }: UnlearnContext,
  {
    samples,
    steps,
    loss,
    optimizer,
    schedule,
  }: StudentRun & { readonly optimizer: OptimizerSpec; readonly schedule: ScheduleSpec },
): Promise<Unlearned> {
  const wrapped = adaptableLayers(layers).filter(matchesAny(options.layers))
  const adapter = lora(wrapped, options)
  const base = parametersOf(layers, original)
  const { microBatches = 1 } = host ?? {}
  const logitsInParts = (ab: Tensor1D, images: Tensor) => {
    const run: RowsOf = (theta, x) => ({ output: forward(layers, adapted(adapter, base, theta), x).output })
    return inMicroBatches(microBatches, run, ab, images).output as Tensor
  }
  try {
    const { parameters, curve } = await train({
      initial: initialAdapter(adapter, stream(seed, options.method, 'adapter')),
      specs: adapter.specs,
      steps,
      optimizer,
      schedule,
      loss: (ab, step) => {
        const student = adapted(adapter, base, ab)
        const whole = (images: Tensor) => forward(layers, student, images).output
        const logits = microBatches === 1 ? whole : (images: Tensor) => logitsInParts(ab, images)
        return loss({ parameters: ab, logits }, step)
      },
      host,
    })
    return {
      weights: await mergedWeights(adapter, layers, original, base, parameters),
      adapter: { lora: adapter, parameters },
      metrics: { trainable: parameters.length, steps, samplesUsed: samples, curve },
    }
  } finally {
    tf.dispose(base)
  }
}
