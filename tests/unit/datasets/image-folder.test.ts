import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../../datasets/decode.ts'
import { inspectDataset, readDataset } from '../../../datasets/index.ts'
import {
  dataSpec,
  emptyFolder,
  expected,
  read,
  refusal,
  remembering,
  written,
} from '../../support/reading.ts'

const folder = emptyFolder()
const image = (name: string) => readFile(join(written, 'images', name))
const plain = { resize: 'squash', channels: 3 } as const

async function put(path: string, content: Uint8Array | string): Promise<void> {
  const file = join(folder(), path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

/** A PNG of one colour. */
const flat = (colour: readonly [number, number, number], height = 3, width = 2) =>
  sharp({ create: { width, height, channels: 3, background: { r: colour[0], g: colour[1], b: colour[2] } } })
    .png()
    .toBuffer()

/** Two classes, one tree. */
async function tree(): Promise<void> {
  for (const [i, path] of ['b/1.png', 'b/2.PNG', 'a/z.png', 'a/10.png', 'a/9.png'].entries())
    await put(path, await flat([i, 10 * i, 20 * i]))
}

describe('pixels', () => {
  test.each([
    ['colour.png', 'colour'],
    ['lossless.webp', 'colour'],
    ['palette.png', 'colour'],
  ])('%s is what Pillow says', async (name, key) => {
    const { shape, pixels } = await decodeImage(await image(name), plain)
    expect(shape).toEqual([4, 6, 3])
    expect([...pixels]).toEqual(expected.images[key])
  })

  test('grey, 16 bits a channel and parts on black are what Pillow says, but for rounding', async () => {
    const grey = await decodeImage(await image('grey.png'), { ...plain, channels: 1 })
    expect([...grey.pixels]).toEqual(expected.images.grey)
    const both = await decodeImage(await image('grey.png'), plain)
    expect([...both.pixels]).toEqual(expected.images.grey?.flatMap((value) => [value, value, value]))
    const deep = await decodeImage(await image('deep.png'), { ...plain, channels: 1 })
    expect(deep.shape).toEqual([4, 6, 1])
    const alpha = await decodeImage(await image('alpha.png'), plain)
    expect(alpha.shape).toEqual([4, 6, 3])
    for (const [{ pixels }, key] of [
      [deep, 'deep'],
      [alpha, 'alpha'],
    ] as const)
      pixels.forEach((value, i) => {
        expect(Math.abs(value - (expected.images[key]?.[i] ?? NaN))).toBeLessThanOrEqual(1)
      })
  })

  test('a photograph is turned as its EXIF data say', async () => {
    const { shape, pixels } = await decodeImage(await image('turned.jpg'), plain)
    expect(shape).toEqual([24, 16, 3])
    const distances = [...pixels].map((value, i) => Math.abs(value - (expected.images.turned?.[i] ?? NaN)))
    expect(distances.reduce((sum, distance) => sum + distance) / pixels.length).toBeLessThan(2)
  })

  test('squash keeps all of a picture, crop its proportions', async () => {
    // Left half black, right half white, twice as wide as it is high.
    const wide = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'black' } })
      .extend({ right: 8, background: 'white' })
      .png()
      .toBuffer()
    const row = async (resize: 'squash' | 'crop') => {
      const { shape, pixels } = await decodeImage(wide, { size: [8, 8], resize, channels: 1 })
      expect(shape).toEqual([8, 8, 1])
      return [...pixels.subarray(0, 8)]
    }
    expect((await row('squash')).map((value) => (value > 127 ? 1 : 0))).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
    expect(await row('crop')).toEqual([0, 0, 0, 0, 255, 255, 255, 255])
  })

  test('inks, other formats, texts and claims of a vast size are refused', async () => {
    const refused = (bytes: Uint8Array) => expect(decodeImage(bytes, plain)).rejects
    await refused(await image('inks.jpg')).toThrow(/inks of printing \(CMYK\)/)
    await refused(await image('moving.gif')).toThrow(/is of the format gif, expected png, jpeg or webp/)
    await refused(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')).toThrow(
      /format svg/,
    )
    await refused(Buffer.from('hello')).toThrow(/cannot be decoded/)
    await refused(new Uint8Array()).toThrow(/cannot be decoded/)
    // Width and height of a PNG, and the checksum that vouches for them.
    const vast = await flat([1, 2, 3])
    vast.writeUInt32BE(8193, 16)
    vast.writeUInt32BE(8192, 20)
    vast.writeUInt32BE(crc32(vast.subarray(12, 29)), 29)
    await refused(vast).toThrow(/has 8193×8192 pixels, expected at most 67108864/)
  })

  test('decoding one or many at a time gives the same bytes', async () => {
    const noise = Buffer.from(
      Array.from({ length: 61 * 47 * 3 }, (_, i) => (i * i * 31 + (i % 7) * 90) % 256),
    )
    const jpeg = await sharp(noise, { raw: { width: 47, height: 61, channels: 3 } })
      .jpeg()
      .toBuffer()
    const options = { size: [20, 17], resize: 'crop', channels: 3 } as const
    const one = await decodeImage(jpeg, options)
    const many = await Promise.all(Array.from({ length: 40 }, () => decodeImage(jpeg, options)))
    for (const { pixels } of many) expect(Buffer.compare(pixels, one.pixels)).toBe(0)
  })
})

test('classes and images are in the order of their names’ code units', async () => {
  await tree()
  await put('a/.hidden', 'x')
  const { facts, trainable, images, labels } = await read(dataSpec('image-folder', { test: 0.4 }), folder())
  expect(labels).toEqual([0, 0, 0, 1, 1])
  expect(Array.from({ length: 5 }, (_, i) => images[i * 18])).toEqual([3, 4, 2, 0, 1])
  expect(trainable).toBe(5)
  expect(facts).toMatchObject({
    shape: [3, 2, 3],
    classes: ['a', 'b'],
    train: [3, 2],
    test: [0, 0],
    sources: [{ name: '*/* (5 images)' }],
    citation: "the user's own",
  })
})

test('train/ and test/ are training and test samples of the same classes', async () => {
  for (const [i, path] of [
    'train/x/1.png',
    'train/y/1.png',
    'train/y/2.png',
    'test/x/1.png',
    'test/z/1.png',
    'test/z/2.png',
  ].entries())
    await put(path, await flat([i, i, i]))
  const { facts, trainable, labels } = await read(dataSpec('image-folder', { channels: 1 }), folder())
  expect(labels).toEqual([0, 1, 1, 0, 2, 2])
  expect(trainable).toBe(3)
  expect(facts).toMatchObject({
    shape: [3, 2, 1],
    classes: ['x', 'y', 'z'],
    train: [1, 2, 0],
    test: [1, 0, 2],
    sources: [{ name: 'train/*/* (3 images)' }, { name: 'test/*/* (3 images)' }],
  })
  expect((await refusal(dataSpec('image-folder', { test: 0.5 }), folder())).problems).toMatchObject([
    { path: 'data.test' },
  ])
})

test('any change of a byte or a name is another data set', async () => {
  await tree()
  const digest = async () =>
    (await read(dataSpec('image-folder', { test: 0.4 }), folder())).facts.sources[0]?.sha256
  const before = await digest()
  expect(await digest()).toBe(before)
  await put('a/9.png', await flat([9, 9, 9]))
  const changed = await digest()
  await copyFile(join(folder(), 'a/9.png'), join(folder(), 'a/99.png'))
  expect(new Set([before, changed, await digest()]).size).toBe(3)
})

test('images that cannot be decoded are named, the first ten of them, and counted', async () => {
  await tree()
  for (let i = 0; i < 12; i++) await put(`b/x${String(i).padStart(2, '0')}.jpg`, 'no image')
  const { problems } = await refusal(dataSpec('image-folder', { test: 0.4 }), folder())
  expect(problems).toHaveLength(11)
  expect(problems[0]).toEqual({
    path: 'data.from',
    message: expect.stringMatching(/b\/x00\.jpg cannot be decoded: it is cut, damaged or no image/) as string,
  })
  expect(problems[10]).toEqual({ message: 'and 2 more images like these' })

  const { facts, labels } = await read(dataSpec('image-folder', { test: 0.4, skipCorrupt: true }), folder())
  expect(labels).toEqual([0, 0, 0, 1, 1])
  expect(facts.skipped?.images).toBe(12)
  expect(facts.skipped?.first).toHaveLength(10)
  // Not where the folder is: that is in no key.
  expect(facts.skipped?.first[0]).toBe('b/x00.jpg')
})

test('where what is left out leaves too little of a class, it is an error all the same', async () => {
  await tree()
  await put('b/1.png', (await flat([1, 2, 3])).subarray(0, 60))
  expect(
    (await refusal(dataSpec('image-folder', { test: 0.4, skipCorrupt: true }), folder())).message,
  ).toMatch(/of the class "b" in .* only 1 can be decoded, and a class needs at least 2/)
})

test.each([
  [
    'a class of one image',
    async () => put('c/only.png', await flat([1, 1, 1])),
    /c\/only\.png is the only image of the class "c", and a class needs at least 2/,
  ],
  [
    'an image of another size',
    async () => put('b/3.png', await flat([1, 1, 1], 4, 4)),
    /b\/3\.png has 4×4 pixels, and the first image 3×2; give data\.size/,
  ],
  ['a file that is no image', async () => put('b/notes.txt', 'x'), /b\/notes\.txt is no png, jpg or webp/],
  ['a file beside the classes', async () => put('labels.csv', 'x'), /labels\.csv is no folder of a class/],
  [
    'a folder in a class',
    async () => put('b/more/1.png', await flat([1, 1, 1])),
    /b\/more is a folder in the folder of a class/,
  ],
  ['a class without an image', async () => put('c/.keep', ''), /c holds no image/],
])('%s is refused by name', async (_, add, message) => {
  await tree()
  await add()
  const { problems } = await refusal(dataSpec('image-folder', { test: 0.4 }), folder())
  expect(problems).toEqual([{ path: 'data.from', message: expect.stringMatching(message) as string }])
})

test('a tree without test images needs a share', async () => {
  await tree()
  expect((await refusal(dataSpec('image-folder'), folder())).message).toMatch(
    /has no folders train and test; .*data\.test, such as 0\.2/,
  )
})

test('every picture comes back through a folder, whatever its pixels', async () => {
  const size = { height: 2, width: 3 }
  const pixels = fc.uint8Array({ minLength: 18, maxLength: 18 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(pixels, { minLength: 2, maxLength: 4 }),
      fc.constantFrom('png', 'webp'),
      async (all, format) => {
        for (const [i, raw] of all.entries()) {
          const picture = sharp(raw, { raw: { ...size, channels: 3 } })
          await put(
            `${format}/one/${i}.${format}`,
            await (format === 'png' ? picture.png() : picture.webp({ lossless: true })).toBuffer(),
          )
        }
        const { images } = await read(dataSpec('image-folder', { test: 0.4 }), join(folder(), format))
        expect(images.slice(0, 18 * all.length)).toEqual(all.flatMap((raw) => [...raw]))
      },
    ),
    { numRuns: 10 },
  )
})

test('images that were checked before are not decoded again, unless they or the decoding change', async () => {
  await tree()
  const checked = remembering()
  const inspect = (options: object) =>
    inspectDataset(dataSpec('image-folder', { test: 0.4, ...options }), folder(), { decodingCache: checked })
  const facts = await inspect({})
  expect([...checked.known.values()]).toEqual([{ shape: [3, 2, 3], corrupt: [] }])
  const [key = ''] = checked.known.keys()
  // As if the second one had been damaged: nobody looks.
  checked.known.set(key, { shape: [3, 2, 3], corrupt: [1] })
  const skipping = { skipCorrupt: true }
  expect(await inspect(skipping)).toMatchObject({ skipped: { images: 1, first: ['a/9.png'] } })
  // Where it is fatal, what is wrong with it is to be said.
  expect(await inspect({})).toEqual(facts)
  expect(await inspect({ ...skipping, channels: 1 })).not.toHaveProperty('skipped')
  await put('a/9.png', await flat([7, 7, 7]))
  expect(await inspect(skipping)).not.toHaveProperty('skipped')
  expect(checked.known.size).toBe(3)
  checked.known.set(key, 'nonsense')
  await put('a/9.png', await flat([4, 40, 80]))
  expect(await inspect(skipping)).not.toHaveProperty('skipped')
})

test('images are named by their paths below the directory, in the order of the samples', async () => {
  await tree()
  await put('a/broken.png', 'no image')
  const spec = dataSpec('image-folder', { test: 0.5, skipCorrupt: true })
  expect((await readDataset(spec, folder())).names).toEqual([
    'a/10.png',
    'a/9.png',
    'a/z.png',
    'b/1.png',
    'b/2.PNG',
  ])
})
