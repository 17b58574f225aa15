import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { forward } from '../../../learning/model/forward.ts'
import { adapted, initialAdapter } from '../../../learning/model/lora.ts'
import type { NamedTensors } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import type { RowsOf } from '../../../learning/training/micro-batches.ts'
import { closedFormAdapter } from './closed-form.ts'
import type { RfaProblem } from './problem.ts'
import type { Target } from './targets.ts'
import type { Teacher } from './teacher.ts'

/** The student is the frozen model with the adapter added. `ab` holds A and B, flat. */
export interface Student {
  /** h_l [n, ...] of the aligned layers by name, from inputs of layer `from`. */
  readonly features: RowsOf
  /** f_l of the same layers, computed by the same operations without the adapter. */
  readonly frozen: (rows: Tensor) => NamedTensors
  /** Logits [n, classes] from inputs of layer `from`. */
  readonly logits: (ab: Tensor1D, input: Tensor) => Tensor2D
}

export function studentOf(
  { layers, adapter, aligned, capture, from, to }: RfaProblem,
  { parameters: base }: Teacher,
): Student {
  const alignedFeatures = (parameters: NamedTensors, rows: Tensor) => {
    const { features } = forward(layers, parameters, rows, { from, to, capture })
    return Object.fromEntries(aligned.map((name) => [name, features[name] as Tensor]))
  }
  return {
    features: (ab, rows) => alignedFeatures(adapted(adapter, base, ab), rows),
    frozen: (rows) => alignedFeatures(base, rows),
    logits: (ab, input) => forward(layers, adapted(adapter, base, ab), input, { from }).output as Tensor2D,
  }
}

/**
 * The adapter before the first step: B = 0, or the closed-form solution with `start: closed-form`.
 * A run that continues from a snapshot does not need the solution and does not compute it.
 */
export async function initialStudent(
  { method, layers, adapter, from, seed, host }: RfaProblem,
  teacher: Teacher,
  wanted: { readonly retained: NamedTensors; readonly forget: Target },
): Promise<Float32Array> {
  if (method.start !== 'closed-form' || host?.snapshot)
    return initialAdapter(adapter, stream(seed, 'rfa', 'adapter'))
  return closedFormAdapter(
    adapter,
    layers,
    teacher.parameters,
    [
      {
        input: teacher.retained.input,
        output: (name, positions) => tf.gather(wanted.retained[name] as Tensor, positions),
        weight: 1,
      },
      { input: teacher.forget.input, output: wanted.forget, weight: method.lambda },
    ],
    { from, ridge: method.ridge, host },
  )
}
