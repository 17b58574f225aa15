import { readFileSync } from 'node:fs'
import type { Tensor4D } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import type { Preparation } from '../../../../experiment/models/pretrained.ts'
import type { Shape } from '../../../../experiment/models/layers.ts'
import { Preparer } from '../../../../learning/data/prepare.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'

interface Reference {
  readonly shape: Shape
  readonly image: readonly number[]
  readonly resized: readonly {
    readonly filter: Preparation['filter']
    readonly size: [number, number]
    readonly pixels: readonly number[]
  }[]
}

const { shape, image, resized } = JSON.parse(
  readFileSync(new URL('../../../reference/resize.json', import.meta.url), 'utf8'),
) as Reference
const pixels = tf.tensor4d([...image], [1, ...shape] as [number, number, number, number])

const prepared = (preparation: Preparation, from = shape, images: Tensor4D = pixels, channels = 3) => {
  const preparer = new Preparer(from, preparation, { channels, white: 255 })
  const result = preparer.prepare(images)
  expect(result.shape.slice(1)).toEqual([...preparer.shape])
  preparer.dispose()
  return result
}

describe('a resized image is that of Pillow', () => {
  test.each(resized)('$filter to $size', ({ filter, size, pixels: expected }) => {
    const values = prepared({ filter, resize: { to: size } }).dataSync()
    expect(values).toHaveLength(expected.length)
    // Pillow computes in fixed-point numbers: where a half is rounded, one level.
    const off = expected.map((value, i) => Math.abs(value - (values[i] ?? NaN)))
    expect(Math.max(...off)).toBeLessThanOrEqual(1)
    expect(off.filter((difference) => difference > 0).length).toBeLessThanOrEqual(0.05 * off.length)
  })
})

test('a crop takes the middle of what was resized by its shorter edge', () => {
  const whole = prepared({ filter: 'bilinear', resize: { shortestEdge: 14 } })
  expect(whole.shape).toEqual([1, 18, 14, 3])
  const cut = prepared({ filter: 'bilinear', resize: { shortestEdge: 14 }, crop: [10, 8] })
  expect(cut.dataSync()).toEqual(whole.slice([0, 4, 3, 0], [1, 10, 8, 3]).dataSync())
})

test('an image that stays as it is, stays so; a grey one is repeated in every channel', () => {
  expect(prepared({ filter: 'bilinear' }).dataSync()).toEqual(pixels.dataSync())
  const grey = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])
  const coloured = prepared({ filter: 'bilinear' }, [2, 2, 1], grey)
  expect([...coloured.dataSync()]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
})

test('leaves no tensor behind', () => {
  const before = tf.memory().numTensors
  prepared({ filter: 'bicubic', resize: { to: [5, 6] } }).dispose()
  expect(tf.memory().numTensors).toBe(before)
})
