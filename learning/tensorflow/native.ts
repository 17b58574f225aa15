import type { Tensor } from '@tensorflow/tfjs'
import { tf } from './tf.ts'

export interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

/** The part of tfjs-node's backend that runs an operation by its TensorFlow name. */
interface NativeBackend {
  readonly binding: Readonly<
    Record<
      | 'TF_ATTR_TYPE'
      | 'TF_ATTR_INT'
      | 'TF_ATTR_FLOAT'
      | 'TF_ATTR_STRING'
      | 'TF_ATTR_BOOL'
      | 'TF_FLOAT'
      | 'TF_INT32',
      number
    >
  >
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[]
}

export function native(): NativeBackend | undefined {
  return tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as NativeBackend) : undefined
}

export const float = ({ binding }: NativeBackend, name: string): Attribute => ({
  name,
  type: binding.TF_ATTR_TYPE,
  value: binding.TF_FLOAT,
})
