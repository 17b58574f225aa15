import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../datasets/files.ts'
import { decodeIdx } from '../../../datasets/idx.ts'
import { dataFilesOf, defaultLocationOf } from '../../../datasets/index.ts'
import { published } from '../../../datasets/mnist-family.ts'
import { dataSpec, emptyFolder, read, refusal } from '../../support/reading.ts'

const folder = emptyFolder()
const mnist = dataSpec('mnist')

/** A file as the format's description says. */
function idx(shape: readonly number[], values: readonly number[], type = 8): Buffer {
  const sides = shape.flatMap((side) => [24, 16, 8, 0].map((shift) => (side >>> shift) & 255))
  return Buffer.from([0, 0, type, shape.length, ...sides, ...values])
}

const pixel = (image: number, place: number) => (image * 53 + place * 11) % 256
const pictures = (count: number, from = 0) =>
  Array.from({ length: count * 784 }, (_, i) => pixel(from + Math.floor(i / 784), i % 784))

interface Parts {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

async function write({ train, test }: Parts, zip = true): Promise<void> {
  const put = (name: string, content: Buffer) =>
    writeFile(join(folder(), `${name}-ubyte${zip ? '.gz' : ''}`), zip ? gzipSync(content) : content)
  await put('train-images-idx3', idx([train.length, 28, 28], pictures(train.length)))
  await put('train-labels-idx1', idx([train.length], train))
  await put('t10k-images-idx3', idx([test.length, 28, 28], pictures(test.length, train.length)))
  await put('t10k-labels-idx1', idx([test.length], test))
}

test.each([
  ['gzipped', true],
  ['as they are', false],
])('the four files, %s, are images and labels, training files first', async (_, zip) => {
  await write({ train: [3, 9, 0], test: [1, 3] }, zip)
  for (const name of ['mnist', 'fashion-mnist', 'kmnist'] as const) {
    const { facts, maximum, trainable, images, labels } = await read(dataSpec(name), folder())
    expect(labels).toEqual([3, 9, 0, 1, 3])
    expect(images).toEqual(pictures(5))
    expect([maximum, trainable]).toEqual([255, 3])
    expect(facts).toMatchObject({
      name,
      shape: [28, 28, 1],
      train: [1, 0, 0, 1, 0, 0, 0, 0, 0, 1],
      test: [0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
    })
    expect(facts.sources.map((source) => source.name)).toEqual(
      ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'].map(
        (stem) => `${stem}-ubyte${zip ? '.gz' : ''}`,
      ),
    )
  }
})

describe('a file is refused by name', () => {
  test.each([
    ['that is missing', 't10k-labels-idx1-ubyte.gz', undefined, /is missing; get the file anew from https/],
    [
      'whose header claims more images than it has',
      'train-images-idx3-ubyte.gz',
      gzipSync(idx([2 ** 31, 28, 28], pictures(1))),
      /has 784 bytes after its header, and 2147483648 × 28 × 28 values take 1683627180032: it is truncated/,
    ],
    [
      'of other dimensions',
      'train-images-idx3-ubyte.gz',
      gzipSync(idx([12], Array<number>(12).fill(0))),
      /begins with 0x00000801, expected 0x00000803 \(an IDX file of bytes in 3 dimensions\)/,
    ],
    [
      'of other sizes',
      't10k-images-idx3-ubyte.gz',
      gzipSync(idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])),
      /has 2 images of 2×2 pixels, expected some of 28×28/,
    ],
    [
      'with a label out of range',
      'train-labels-idx1-ubyte.gz',
      gzipSync(idx([3], [0, 10, 1])),
      /gives image 1 the label 10, expected 0 to 9/,
    ],
    [
      'with fewer labels than images',
      'train-labels-idx1-ubyte.gz',
      gzipSync(idx([2], [0, 1])),
      /has 2 labels, and .*train-images-idx3-ubyte\.gz 3 images/,
    ],
    [
      'that is cut',
      'train-labels-idx1-ubyte.gz',
      gzipSync(idx([3], [0, 1, 2])).subarray(0, 20),
      /cannot be unpacked \(unexpected end of file\): it is truncated or was changed/,
    ],
    [
      'that fills the memory once unpacked',
      'train-images-idx3-ubyte.gz',
      gzipSync(Buffer.alloc(50_000_000)),
      /unpacks to more than 100 times its \d+ bytes/,
    ],
  ])('%s', async (_, name, content, message) => {
    await write({ train: [3, 9, 0], test: [1, 3] })
    const file = join(folder(), name)
    if (content) await writeFile(file, content)
    else await rm(file)
    const { problems } = await refusal(mnist, folder())
    expect(problems).toEqual([{ path: 'data.name', message: expect.stringMatching(message) as string }])
    expect(problems[0]?.message.startsWith(file)).toBe(true)
  })
})

test('each of the three has four files with sizes and checksums of its own', () => {
  const files = Object.values(published).flatMap(({ downloads }) => downloads)
  expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(12)
  for (const { url, bytes, sha256 } of files) {
    expect(url).toMatch(/^https?:.*-idx[13]-ubyte\.gz$/)
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(bytes).toBeGreaterThan(4000)
  }
})

test('where nobody says where the files are, they are their publisher’s', async () => {
  const home = await defaultLocationOf(mnist)
  expect(home).toMatchObject({ kind: 'published', files: published.mnist.downloads })
  const isDataFile = await dataFilesOf(mnist)
  expect(isDataFile('train-images-idx3-ubyte.gz')).toBe(true)
  expect(isDataFile('train-labels-idx1-ubyte')).toBe(true)
  expect(isDataFile('README.md')).toBe(false)
})

describe('IDX', () => {
  test('any array of bytes comes back', () => {
    const array = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }).chain((shape) => {
      const size = shape.reduce((product, side) => product * side, 1)
      return fc.tuple(
        fc.constant(shape),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: size, maxLength: size }),
      )
    })
    fc.assert(
      fc.property(array, ([shape, values]) => {
        const decoded = decodeIdx(idx(shape, values), shape.length)
        expect(decoded.shape).toEqual(shape)
        expect([...decoded.values]).toEqual(values)
      }),
    )
  })

  test('values of another type are refused, and so is a byte too many', () => {
    expect(() => decodeIdx(idx([1], [1, 2, 3, 4], 12), 1)).toThrow(FormatError)
    expect(() => decodeIdx(idx([1], [1, 2]), 1)).toThrow('it is longer than it says')
  })
})
