import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeNpy, integersOf } from '../../../datasets/npy.ts'
import { decodeNpz } from '../../../datasets/readers/npz.ts'
import { npy, zip } from '../../support/archives.ts'
import { dataSpec, emptyFolder, expected, read, refusal, written } from '../../support/reading.ts'

const folder = emptyFolder()
const put = (name: string) => copyFile(join(written, 'npz', name), join(folder(), name))

describe('archives that NumPy wrote', () => {
  test('four arrays of the usual names are training and test samples', async () => {
    await put('four.npz')
    const { facts, trainable, images, labels } = await read(dataSpec('npz'), folder())
    expect({ images, labels }).toEqual(expected.four)
    expect(trainable).toBe(3)
    expect(facts).toMatchObject({
      shape: [4, 6, 3],
      classes: ['0', '1', '2'],
      train: [1, 1, 1],
      test: [0, 2, 0],
      sources: [{ name: 'four.npz' }],
      citation: "the user's own",
    })
  })

  test('grey images and labels beyond 255, compressed, of which a share is kept for testing', async () => {
    await put('grey.npz')
    const { facts, trainable, images, labels } = await read(dataSpec('npz', { test: 0.5 }), folder())
    expect({ images, labels }).toEqual(expected.grey)
    expect([trainable, facts.shape, facts.classes.length, facts.classes[300]]).toEqual([
      4,
      [2, 4, 1],
      301,
      '300',
    ])
    expect([facts.train[300], facts.test[300]]).toEqual([2, 0])
  })

  test('channels that come first, and big-endian labels', async () => {
    await put('nchw.npz')
    const { facts, images, labels } = await read(dataSpec('npz', { test: 0.5, layout: 'nchw' }), folder())
    expect(facts.shape).toEqual([4, 6, 3])
    expect({ images, labels }).toEqual({
      images: expected.four?.images.slice(0, images.length),
      labels: expected.four?.labels.slice(0, 3),
    })
    const { message } = await refusal(dataSpec('npz', { test: 0.5 }), folder())
    expect(message).toMatch(
      /an array images that has images of 6 channels, expected 1 or 3; set data\.layout to nchw if they come first/,
    )
  })

  test('names of arrays and classes are the spec’s to give', async () => {
    await put('four.npz')
    await put('grey.npz')
    const arrays = { images: 'x_test', labels: 'y_test', testImages: 'x_train', testLabels: 'y_train' }
    const { labels, facts } = await read(
      dataSpec('npz', { file: 'four.npz', classes: ['a', 'b', 'c', 'd'], ...arrays }),
      folder(),
    )
    expect(labels).toEqual([1, 1, 0, 2, 1])
    expect(facts).toMatchObject({ classes: ['a', 'b', 'c', 'd'], train: [0, 2, 0, 0], test: [1, 1, 1, 0] })
  })

  test.each([
    [
      'objects.npz',
      { test: 0.5 },
      /objects\.npz has an array labels that holds Python objects \(a pickle\), which are never loaded/,
    ],
    [
      'floats.npz',
      { test: 0.5 },
      /an array images that is of type <f4, expected bytes \(uint8\); save it as \(255 \* images\)\.round\(\)/,
    ],
    [
      'fortran.npz',
      { test: 0.5 },
      /an array images that is in Fortran order; save it as numpy\.ascontiguousarray/,
    ],
    ['negative.npz', { test: 0.5 }, /has 2 labels out of range, the first of them -1 \(sample 1\)/],
    [
      'grey.npz',
      { test: 0.5, classes: ['a', 'b'] },
      /has 3 labels out of range, the first of them 300 \(sample 0\); expected 0 to 1/,
    ],
    [
      'grey.npz',
      { test: 0.5, classes: Array.from({ length: 301 }, (_, i) => `c${i % 300}`) },
      /has two classes called "c0", 0 and 300/,
    ],
    ['grey.npz', {}, /has no test images; name them as data\.testImages, or give a share as data\.test/],
    ['four.npz', { test: 0.5 }, /has test images of its own \(x_test\)/],
    [
      'four.npz',
      { images: 'z' },
      /has no array z; its arrays are x_train, y_train, x_test, y_test; name one as data\.images/,
    ],
    ['four.npz', { labels: 'y_test' }, /has 3 images in x_train and 2 labels in y_test/],
    [
      'four.npz',
      { labels: 'x_train' },
      /an array x_train that has the shape 3 × 4 × 6 × 3, expected one label an image/,
    ],
  ])('%s with %j is refused by name', async (name, options, message) => {
    await put(name)
    const { problems } = await refusal(dataSpec('npz', options), folder())
    expect(problems).toEqual([{ path: 'data.file', message: expect.stringMatching(message) as string }])
  })
})

test('which of several archives is meant has to be said', async () => {
  expect((await refusal(dataSpec('npz'), folder())).message).toMatch(/holds no \.npz file/)
  await put('four.npz')
  await put('grey.npz')
  expect((await refusal(dataSpec('npz'), folder())).message).toMatch(
    /holds 2 \.npz files \(four\.npz, grey\.npz\); name one as data\.file/,
  )
  expect((await refusal(dataSpec('npz', { file: 'x.npz' }), folder())).message).toMatch(/x\.npz is missing/)
})

test('an archive that is cut, changed, or no archive is refused by name', async () => {
  const content = await readFile(join(written, 'npz/four.npz'))
  const refused = async (bytes: Uint8Array) => {
    await writeFile(join(folder(), 'a.npz'), bytes)
    return (await refusal(dataSpec('npz'), folder())).message
  }
  expect(await refused(content.subarray(0, 700))).toMatch(/a\.npz is no whole zip archive/)
  expect(await refused(content.with(300, 255 - (content[300] ?? 0)))).toMatch(
    /a member "x_train\.npy" whose checksum is another/,
  )
  expect(await refused(Buffer.from('hello'))).toMatch(/a\.npz is no whole zip archive/)
})

describe('a small archive that would fill the memory is refused', () => {
  const labels = npy('|u1', [2], Uint8Array.of(0, 1))
  const bomb = npy('|u1', [2, 4096, 4096], new Uint8Array(2 ** 25))

  test('by what it says', async () => {
    await expect(
      decodeNpz(zip({ 'images.npy': bomb, 'labels.npy': labels }), dataSpec('npz', { test: 0.5 })),
    ).rejects.toThrow(
      /says that its member "images\.npy" unpacks to 335545\d\d bytes, more than 100 times the archive/,
    )
  })

  test('and by what it does, where it says less', async () => {
    const archive = zip({ 'images.npy': bomb, 'labels.npy': labels }, { size: 1000 })
    await expect(decodeNpz(archive, dataSpec('npz', { test: 0.5 }))).rejects.toThrow(
      /member "images\.npy" cannot be read/,
    )
  })

  test('a header that claims more than there is allocates nothing', async () => {
    const images = npy('|u1', [2 ** 31, 2 ** 10, 2 ** 10], new Uint8Array(8))
    await expect(
      decodeNpz(zip({ 'images.npy': images, 'labels.npy': labels }), dataSpec('npz', { test: 0.5 })),
    ).rejects.toThrow(
      /an array images that has 8 bytes of values, and 2147483648 × 1024 × 1024 of type \|u1 take/,
    )
  })
})

test('whole numbers of every width come back', () => {
  const types = fc.constantFrom(
    ...(['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8'] as const).flatMap((type) =>
      type.endsWith('1') ? [`|${type}`] : [`<${type}`, `>${type}`],
    ),
  )
  fc.assert(
    fc.property(types, fc.array(fc.integer({ min: 0, max: 127 })), (dtype, values) => {
      const width = Number(dtype[2])
      const signed = dtype[1] === 'i' ? values.map((value, i) => (i % 2 === 0 ? value : -value)) : values
      const bytes = Buffer.alloc(width * values.length)
      signed.forEach((value, i) => {
        const word = BigInt.asUintN(8 * width, BigInt(value))
        for (let byte = 0; byte < width; byte++)
          bytes[i * width + (dtype.startsWith('>') ? width - 1 - byte : byte)] = Number(
            (word >> BigInt(8 * byte)) & 255n,
          )
      })
      expect(integersOf(decodeNpy(npy(dtype, [values.length], bytes))).map((value) => value + 0)).toEqual(
        signed.map((value) => value + 0),
      )
    }),
  )
})
