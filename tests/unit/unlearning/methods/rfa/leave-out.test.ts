import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stream } from '../../../../../learning/random.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { leaveOut } from '../../../../../unlearning/methods/rfa/leave-out.ts'

beforeEach(() => {
  tf.engine().startScope()
})
afterEach(() => {
  tf.engine().endScope()
})

/**
 * Three classes around the corners of a triangle. The last one is forgotten and lies next to the
 * second.
 */
const centres = [
  [4, 0, 0],
  [0, 4, 0],
  [0, 3, 3],
]
const labels = (classes: readonly number[], n: number) =>
  Int32Array.from({ length: n }, (_, i) => classes[i % classes.length] ?? 0)
function features(of: Int32Array, name: string): Tensor2D {
  const random = stream(1, name)
  return tf.tensor2d(
    [...of].map((label) =>
      (centres[label] ?? []).map((centre) => Math.max(0, centre + 0.3 * random.normal())),
    ),
  )
}

async function made(n = 200) {
  const y = labels([0, 1], n)
  const penultimate = features(y, 'retained')
  const inner = penultimate.mul(2)
  const forget = features(labels([2], 50), 'forget')
  // An original head that knows all three.
  const head = {
    name: 'head',
    weight: tf.tensor2d(centres).transpose<Tensor2D>(),
    bias: tf.zeros<Rank.R1>([3]),
  }
  const zeros = tf.zeros([n, 3])
  const before = tf.memory().numTensors
  const { logits, target } = await leaveOut(
    { penultimate, labels: y, features: { inner, head: zeros } },
    { penultimate: forget },
    head,
  )
  return { y, inner, logits, target, kept: tf.memory().numTensors - before }
}

const classesOf = async (logits: Tensor) => [...(await logits.argMax(1).data())]

test('the refit head is right about retained samples, and calls no forgotten one by its class', async () => {
  const { y, logits, target } = await made()
  expect(await classesOf(logits)).toEqual([...y])
  const called = await classesOf(target('head', tf.range(0, 50, 1, 'int32')))
  expect(new Set(called)).toEqual(new Set([1]))
})

test('other features of a forgotten sample are the mean of the class that it is taken for', async () => {
  const { y, inner, target } = await made()
  const [row] = await (target('inner', tf.tensor1d([0], 'int32')) as Tensor2D).array()
  const ones = Int32Array.from(y.keys()).filter((i) => y[i] === 1)
  const mean = (await tf.gather(inner, tf.tensor1d(ones, 'int32')).mean(0).array()) as number[]
  mean.forEach((value, i) => {
    expect(Math.abs((row?.[i] ?? NaN) - value)).toBeLessThan(0.2)
  })
})

test('keeps the logits of both sides, the shares and the centroids, and no other tensor', async () => {
  expect((await made()).kept).toBe(4)
})
