import fc from 'fast-check'
import { expect, test } from 'vitest'
import { augmentation, Batches } from '../../../../learning/data/batches.ts'
import { DeviceData } from '../../../../learning/data/device-data.ts'
import { addPixels, noPixels, partition, pixelStatistics } from '../../../../learning/data/partition.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'

/** n images [h, w, c] whose pixels are all different from 0. */
function pictures(n: number, [h, w, c]: readonly [number, number, number]) {
  const images = new Uint8Array(n * h * w * c).map((_, i) => 1 + ((i * 31) % 255))
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3)
  const data = new DeviceData(images, labels, {
    shape: [h, w, c],
    classes: 3,
    mean: Array.from({ length: c }, () => 0),
    deviation: Array.from({ length: c }, () => 1),
  })
  return { images, data }
}

test('gathered images are the bytes that went in, whatever the row width', () => {
  for (const shape of [
    [4, 4, 3],
    [3, 3, 1],
    [5, 2, 3],
  ] as const) {
    const { images, data } = pictures(6, shape)
    const size = shape[0] * shape[1] * shape[2]
    const batch = data.images(Int32Array.from([4, 0, 4]))
    expect(batch.shape).toEqual([3, ...shape])
    const expected = [4, 0, 4].flatMap((i) => [...images.subarray(i * size, (i + 1) * size)])
    expect([...batch.dataSync()]).toEqual(expected)
    data.dispose()
  }
})

test('normalised training images have mean 0 and deviation 1 a channel', () => {
  const { images } = pictures(20, [4, 4, 3])
  const all = Int32Array.from({ length: 20 }, (_, i) => i)
  const { mean, deviation } = pixelStatistics(addPixels(noPixels, images, all, [4, 4, 3]), 20 * 16)
  const data = new DeviceData(images, new Int32Array(20), {
    shape: [4, 4, 3],
    classes: 1,
    mean: [...mean],
    deviation: [...deviation],
  })
  const x = data.images(all)
  const average = x.mean([0, 1, 2])
  for (const value of average.dataSync()) expect(value).toBeCloseTo(0, 5)
  for (const value of x.sub(average).square().mean([0, 1, 2]).dataSync()) expect(value).toBeCloseTo(1, 4)
})

test.each(['zero', 'reflect'] as const)(
  'a crop is a window of the image with padding %s, mirrored or not, with exact pixels',
  (padding) => {
    const [h, w, c] = [5, 6, 2] as const
    const { images, data } = pictures(3, [h, w, c])
    const inside = (i: number, y: number, x: number, k: number) => images[((i * h + y) * w + x) * c + k]
    const reflected = (at: number, side: number) => side - 1 - Math.abs(side - 1 - Math.abs(at))
    const pixel = (i: number, y: number, x: number, k: number) => {
      if (padding === 'reflect') return inside(i, reflected(y, h), reflected(x, w), k)
      return y < 0 || x < 0 || y >= h || x >= w ? 0 : inside(i, y, x, k)
    }
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const batch = data.images(Int32Array.from([0, 1, 2]), {
          crop: 2,
          padding,
          flip: true,
          random: stream(seed, 'crop'),
        })
        const values = batch.dataSync()
        for (let i = 0; i < 3; i++) {
          const own = values.subarray(i * h * w * c, (i + 1) * h * w * c)
          const windows = [-2, -1, 0, 1, 2].flatMap((top) =>
            [-2, -1, 0, 1, 2].flatMap((left) => [false, true].map((mirror) => ({ top, left, mirror }))),
          )
          const match = windows.find(({ top, left, mirror }) =>
            own.every((value, p) => {
              const [y, x, k] = [Math.floor(p / (w * c)), Math.floor(p / c) % w, p % c]
              return value === pixel(i, top + y, left + (mirror ? w - 1 - x : x), k)
            }),
          )
          expect(match).toBeDefined()
          seen.add(JSON.stringify(match))
        }
      }),
      { numRuns: 60 },
    )
    // 50 windows exist; 180 draws see most of them.
    expect(seen.size).toBeGreaterThan(35)
    data.dispose()
  },
)

test('alternating flips mirror half of the images in the first epoch, and each image in every other one', () => {
  const [h, w] = [3, 4]
  const { data } = pictures(40, [h, w, 1])
  const perEpoch = 2
  const mirrored = (step: number, indices: Int32Array, purpose = 'train') => {
    const augment = { crop: 0, flip: 'alternating' } as const
    const change = augmentation({ augment }, 1, purpose, step, indices, perEpoch)
    const [plain, changed] = [data.images(indices), data.images(indices, change)]
    const flipped = plain.reverse(2)
    return [...indices].map((_, i) => {
      const same = (x: typeof plain) => [...x.dataSync()].slice(i * h * w, (i + 1) * h * w).join()
      expect([same(plain), same(flipped)]).toContain(same(changed))
      return same(changed) === same(flipped)
    })
  }
  const all = Int32Array.from({ length: 40 }, (_, i) => i)
  const first = mirrored(0, all)
  expect(first.filter(Boolean).length).toBeGreaterThan(10)
  expect(first.filter(Boolean).length).toBeLessThan(30)
  expect(mirrored(1, all)).toEqual(first)
  expect(mirrored(2, all)).toEqual(first.map((flip) => !flip))
  expect(mirrored(5, all)).toEqual(first)
  // A sample is flipped alike in every batch.
  expect(mirrored(0, all.slice(7, 12))).toEqual(first.slice(7, 12))
  expect(mirrored(0, all, 'shadow 1')).not.toEqual(first)
  data.dispose()
})

test('each epoch takes every sample at most once, in a new order, and any step can be asked for first', () => {
  const indices = Int32Array.from({ length: 25 }, (_, i) => 100 + i)
  const batches = new Batches(indices, 8, 1, 'test')
  expect(batches.perEpoch).toBe(3)
  const epoch = (n: number) => [0, 1, 2].flatMap((i) => [...batches.at(3 * n + i)])
  expect(new Set(epoch(0)).size).toBe(24)
  expect(epoch(1)).not.toEqual(epoch(0))
  expect([...new Batches(indices, 8, 1, 'test').at(5)]).toEqual([...batches.at(5)])
  expect([...new Batches(indices, 8, 2, 'test').at(5)]).not.toEqual([...batches.at(5)])
})

test('a partition holds every sample once, ascending, in sets of the sizes asked for; test files are all tested on', () => {
  const size = fc.integer({ min: 0, max: 60 })
  fc.assert(
    fc.property(
      fc.record({ train: size, validation: size, test: size }),
      size,
      fc.integer(),
      (sizes, files, seed) => {
        const samples = sizes.train + sizes.validation + sizes.test
        const official = Math.min(files, sizes.test)
        const parts = partition(sizes, samples - official, seed)
        const all = [...parts.train, ...parts.validation, ...parts.test]
        expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: samples }, (_, i) => i))
        expect([...parts.test.subarray(sizes.test - official)]).toEqual(
          Array.from({ length: official }, (_, i) => samples - official + i),
        )
        for (const set of ['train', 'validation', 'test'] as const) {
          expect(parts[set]).toHaveLength(sizes[set])
          expect([...parts[set]]).toEqual([...parts[set]].sort((a, b) => a - b))
        }
      },
    ),
  )
})

test('all of CIFAR-10 takes one byte a pixel on the device', () => {
  const before = tf.memory().numBytes
  const data = new DeviceData(new Uint8Array(60_000 * 3072), new Int32Array(60_000), {
    shape: [32, 32, 3],
    classes: 10,
    mean: [0, 0, 0],
    deviation: [1, 1, 1],
  })
  data.images(Int32Array.from([59_999])).dispose()
  expect(tf.memory().numBytes - before).toBeLessThan(60_000 * 3072 + 1000)
  data.dispose()
  expect(tf.memory().numBytes).toBe(before)
})
