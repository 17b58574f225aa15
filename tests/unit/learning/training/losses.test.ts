import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { klDivergence, squaredDistance } from '../../../../learning/training/losses.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { normal } from '../../../support/tensors.ts'

const kl = (teacher: Tensor2D, student: Tensor2D, temperature = 1) =>
  klDivergence(teacher, student, temperature).dataSync()[0] ?? NaN

/** Logits of one sample whose softmax is p. */
const logits = (...p: readonly number[]) => tf.tensor2d([p.map(Math.log)])

describe('the KL divergence from the teacher', () => {
  test('to the student, and not from the student', () => {
    const [teacher, student] = [logits(0.9, 0.1), logits(0.5, 0.5)]
    expect(kl(teacher, student)).toBeCloseTo(0.9 * Math.log(0.9 / 0.5) + 0.1 * Math.log(0.1 / 0.5), 6)
    expect(kl(student, teacher)).toBeCloseTo(0.5 * Math.log(0.5 / 0.9) + 0.5 * Math.log(0.5 / 0.1), 6)
  })

  test('is averaged over samples, and not over classes too', () => {
    const [teacher, student] = [logits(0.7, 0.1, 0.1, 0.1), logits(0.25, 0.25, 0.25, 0.25)]
    const expected = 0.7 * Math.log(0.7 / 0.25) + 0.3 * Math.log(0.1 / 0.25)
    expect(kl(teacher, student)).toBeCloseTo(expected, 6)
    const twice = (x: Tensor2D) => tf.concat([x, x])
    expect(kl(twice(teacher), twice(student))).toBeCloseTo(expected, 6)
    const other = tf.concat([teacher, student])
    expect(kl(other, twice(student))).toBeCloseTo(expected / 2, 6)
  })

  test('divides both by the temperature', () => {
    const [teacher, student] = [normal([5, 3], 1) as Tensor2D, normal([5, 3], 2) as Tensor2D]
    expect(kl(teacher, student, 4)).toBeCloseTo(kl(teacher.div(4), student.div(4)), 6)
  })

  test('is 0 to itself and above 0 to others, whatever is added to all logits of a sample', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), (seed, shift) => {
        const teacher = normal([4, 3], seed) as Tensor2D
        expect(Math.abs(kl(teacher, teacher.add(shift)))).toBeLessThan(1e-5)
        expect(kl(teacher, teacher.add(normal([4, 3], seed + 1)))).toBeGreaterThan(1e-4)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the squared distance', () => {
  test('is the sum of the squares of the differences', () => {
    const h = tf.tensor2d([
      [1, 2],
      [3, 5],
    ])
    expect(squaredDistance(h, tf.zeros([2, 2])).dataSync()[0]).toBe(39)
    expect(squaredDistance(h, tf.tensor2d([[1, 1]])).dataSync()[0]).toBe(1 + 4 + 16)
  })

  test('has, bit for bit, the gradient that tfjs derives from the composition', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (seed, factor) => {
        const [h, wanted] = [normal([4, 3, 2], seed), normal([1, 3, 2], seed + 1)]
        const gradient = (distance: (a: Tensor) => Tensor) =>
          tf
            .grad((a) => distance(a).div(4).mul(factor))(h)
            .dataSync()
        expect(gradient((a) => squaredDistance(a, wanted))).toEqual(
          gradient((a) => a.sub(wanted).square().sum()),
        )
      }),
      { numRuns: 30 },
    )
  })
})
