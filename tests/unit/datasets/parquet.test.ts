import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { matchesGlob } from '../../../datasets/glob.ts'
import { readDataset } from '../../../datasets/index.ts'
import { decodeParquet } from '../../../datasets/readers/parquet.ts'
import { dataSpec, emptyFolder, expected, read, refusal, written } from '../../support/reading.ts'

const folder = emptyFolder()
const huggingface = join(written, 'huggingface')

async function put(path: string, content: Uint8Array): Promise<void> {
  const file = join(folder(), path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

test('files that Hugging Face’s library wrote are images, labels and names of classes', async () => {
  const { facts, trainable, images, labels } = await read(dataSpec('parquet'), huggingface)
  const [train, test] = [expected['huggingface-train'], expected['huggingface-test']]
  expect(labels).toEqual([...(train?.labels ?? []), ...(test?.labels ?? [])])
  expect(images).toEqual([...(train?.images ?? []), ...(test?.images ?? [])])
  expect(trainable).toBe(5)
  expect(facts).toMatchObject({
    shape: [4, 6, 3],
    classes: ['cat', 'dog', 'eel'],
    train: [2, 2, 1],
    test: [1, 1, 1],
    sources: [{ name: 'data/train-00000-of-00001.parquet' }, { name: 'data/test-00000-of-00001.parquet' }],
  })
})

test.each(
  ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].flatMap((compression) => [
    `${compression}-1`,
    `${compression}-2`,
  ]),
)('bytes in a column, by Arrow: %s', async (name) => {
  const spec = dataSpec('parquet', { train: [`${name}.parquet`], test: 0.5 })
  const { facts, images, labels, trainable } = await read(spec, join(written, 'arrow'))
  expect({ images, labels }).toEqual(expected.arrow)
  expect([facts.classes, facts.train, trainable]).toEqual([['0', '1', '2', '3'], [2, 2, 0, 2], 6])
})

const image = () => readFile(join(written, 'images/colour.png'))

function table(
  columns: Readonly<Record<string, { type: 'BYTE_ARRAY' | 'INT32' | 'STRING' | 'DOUBLE'; data: unknown[] }>>,
): Buffer {
  const columnData = Object.entries(columns).map(([name, { type, data }]) => ({
    name,
    type,
    data: data as number[],
  }))
  return Buffer.from(parquetWriteBuffer({ columnData }))
}

describe('which columns and files are meant', () => {
  test('is guessed where there is one choice, and else has to be said', async () => {
    const png = await image()
    await put(
      'train-0.parquet',
      table({
        img: { type: 'BYTE_ARRAY', data: [png, png] },
        fine_label: { type: 'INT32', data: [3, 1] },
        label: { type: 'INT32', data: [0, 1] },
      }),
    )
    const train = { test: 0.5 }
    expect((await refusal(dataSpec('parquet', train), folder())).problems).toEqual([
      {
        path: 'data.train[0]',
        message: expect.stringMatching(
          /train-0\.parquet has several columns that may be the label: label, fine_label; name one as data\.label/,
        ) as string,
      },
    ])
    expect((await read(dataSpec('parquet', { ...train, label: 'fine_label' }), folder())).labels).toEqual([
      3, 1,
    ])
    expect((await refusal(dataSpec('parquet', { ...train, image: 'picture' }), folder())).message).toMatch(
      /has no column "picture"; its columns are img, fine_label, label; name one as data\.image/,
    )
  })

  test('patterns find files in folders, each once', async () => {
    for (const name of ['train', 'test']) await mkdir(join(folder(), 'deep', name), { recursive: true })
    const from = (set: string) => join(huggingface, `data/${set}-00000-of-00001.parquet`)
    await copyFile(from('train'), join(folder(), 'deep/train/train-b.parquet'))
    await copyFile(from('test'), join(folder(), 'train-a.parquet'))
    await copyFile(from('test'), join(folder(), 'deep/test/test-a.parquet'))
    const { facts, trainable } = await read(dataSpec('parquet'), folder())
    expect(facts.sources.map(({ name }) => name)).toEqual([
      'deep/train/train-b.parquet',
      'train-a.parquet',
      'deep/test/test-a.parquet',
    ])
    expect(trainable).toBe(8)
    expect((await refusal(dataSpec('parquet', { test: ['**/t*.parquet'] }), folder())).message).toMatch(
      /deep\/train\/train-b\.parquet is data\.train\[0\] already; name each file once/,
    )
    expect((await refusal(dataSpec('parquet', { test: ['valid-*.parquet'] }), folder())).problems).toEqual([
      {
        path: 'data.test[0]',
        message: expect.stringMatching(
          /holds no parquet file "valid-\*\.parquet"; it holds deep\//,
        ) as string,
      },
    ])
  })

  test.each([
    [
      '**/train-*.parquet',
      ['train-0.parquet', 'a/b/train-.parquet'],
      ['strain-0.parquet', 'train-0.parquet.bak', 'train-a/b.parquet'],
    ],
    ['*.parquet', ['a.parquet'], ['a/b.parquet', 'aparquet']],
    ['a(b)/[x].parquet', ['a(b)/[x].parquet'], ['ab/x.parquet']],
  ])('the pattern %s', (pattern, matching, others) => {
    const matches = matchesGlob(pattern)
    expect([...matching, ...others].filter(matches)).toEqual(matching)
  })
})

describe('what is wrong is said with file and row', () => {
  test('images that cannot be decoded, unless they are left out', async () => {
    const png = await image()
    await put(
      'train-0.parquet',
      table({
        image: { type: 'BYTE_ARRAY', data: [png, png.subarray(0, 50), png, Buffer.alloc(0)] },
        label: { type: 'INT32', data: [0, 1, 1, 0] },
      }),
    )
    const { problems } = await refusal(dataSpec('parquet', { test: 0.5 }), folder())
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/train-0\.parquet row 1 cannot be decoded/) as string,
      expect.stringMatching(/train-0\.parquet row 3 cannot be decoded/) as string,
    ])
    const { facts, labels } = await read(dataSpec('parquet', { test: 0.5, skipCorrupt: true }), folder())
    expect(labels).toEqual([0, 1])
    expect(facts.skipped).toEqual({
      images: 2,
      first: ['train-0.parquet row 1', 'train-0.parquet row 3'],
    })
  })

  test.each([
    [
      'a label that is no whole number',
      { type: 'DOUBLE', data: [0.5, 1] },
      /has 1 label out of range, the first of them 0\.5 \(sample 0\)/,
    ],
    [
      'a label that is a text',
      { type: 'STRING', data: ['a', 'b'] },
      /has no whole number as "label" in row 0/,
    ],
    [
      'a label below 0',
      { type: 'INT32', data: [0, -1] },
      /has 1 label out of range, the first of them -1 \(sample 1\)/,
    ],
  ] as const)('%s', async (_, label, message) => {
    const png = await image()
    await put(
      'train-0.parquet',
      table({ image: { type: 'BYTE_ARRAY', data: [png, png] }, label: { ...label, data: [...label.data] } }),
    )
    expect((await refusal(dataSpec('parquet', { test: 0.5 }), folder())).message).toMatch(message)
  })

  test('a file that is cut or no parquet', async () => {
    const content = await readFile(join(huggingface, 'data/train-00000-of-00001.parquet'))
    for (const bytes of [content.subarray(0, 900), content.subarray(100), Buffer.from('hello')]) {
      await put('train-0.parquet', bytes)
      expect((await refusal(dataSpec('parquet', { test: 0.5 }), folder())).message).toMatch(
        /train-0\.parquet (is no whole parquet file|has the column|has a page|cannot be read)/,
      )
    }
  })
})

test('any rows come back, whatever their bytes and labels', async () => {
  const row = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (rows) => {
      const file = table({
        image: { type: 'BYTE_ARRAY', data: rows.map(([bytes]) => bytes) },
        label: { type: 'INT32', data: rows.map(([, label]) => label) },
      })
      const { images, labels } = await decodeParquet(file, {})
      expect(labels).toEqual(rows.map(([, label]) => label))
      expect(images.map((bytes) => [...bytes])).toEqual(rows.map(([bytes]) => [...bytes]))
    }),
    { numRuns: 50 },
  )
})

describe('the names of rows', () => {
  const rows = async (more: Parameters<typeof table>[0] = {}) => {
    const png = await image()
    return table({
      image: { type: 'BYTE_ARRAY', data: [png, png, png, png] },
      label: { type: 'INT32', data: [0, 1, 0, 1] },
      ...more,
    })
  }
  const namesOf = async (options: object = {}) =>
    (await readDataset(dataSpec('parquet', { test: 0.5, ...options }), folder())).names

  test('are the values of the column that is named', async () => {
    await put('train-0.parquet', await rows({ id: { type: 'STRING', data: ['w', 'x', 'y', 'z'] } }))
    expect(await namesOf({ id: 'id' })).toEqual(['w', 'x', 'y', 'z'])
    const { message } = await refusal(dataSpec('parquet', { test: 0.5, id: 'key' }), folder())
    expect(message).toContain('has no column "key"')
  })

  test('are else those of the files that the images came from, or else their places', async () => {
    await put('train-0.parquet', await rows())
    expect(await namesOf()).toEqual([0, 1, 2, 3].map((row) => `train-0.parquet row ${row}`))
    const { names } = await readDataset(dataSpec('parquet'), huggingface)
    expect(names).toHaveLength(8)
  })
})
