import { expect, test } from 'vitest'
import { outOfMemory } from '../../../../learning/tensorflow/out-of-memory.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

test('memory that TensorFlow does not get is told from other errors, in its own words', () => {
  const column = tf.ones([2 ** 22, 1])
  // 64 TB.
  const error = thrownBy(() => tf.matMul(column, column, false, true))
  expect(outOfMemory(error)).toMatch(/OOM when allocating tensor with shape\[4194304,4194304\]/)
  const other = thrownBy(() => tf.matMul(column, tf.ones([2, 2])))
  expect(other).toBeInstanceOf(Error)
  expect(outOfMemory(other)).toBeUndefined()
})

test.each([
  'Invalid TF_Status: 13\nMessage: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
  'Invalid TF_Status: 13\nMessage: Failed to create cublas handle: CUBLAS_STATUS_ALLOC_FAILED',
])("so is the driver's: %s", (message) => {
  expect(outOfMemory(new Error(message))).toBe(message.split('\n')[1])
})
