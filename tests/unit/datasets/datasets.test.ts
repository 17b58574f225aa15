import { existsSync } from 'node:fs'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { located, parseConfig } from '../../../experiment/spec/config.ts'
import { whiteOf } from '../../../experiment/spec/white.ts'
import { UserError } from '../../../common/errors.ts'
import { inspectDataset, readDataset } from '../../../datasets/index.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'

const digits = { name: 'digits' as const, test: 0.3, validation: 0 }
const cifar = (train: string[], test: string[]) => ({ name: 'cifar10' as const, train, test, validation: 0 })
const shipped = join(import.meta.dirname, '../../../data/digits')
const official = join(import.meta.dirname, '../../../../shared/data/cifar-10-batches-bin')

let folder: string
beforeEach(() => {
  folder = testDirectory()
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** Records of the official layout; a pixel's value tells its record, plane and place. */
function records(labels: readonly number[]): Buffer {
  return Buffer.concat(
    labels.map((label, record) =>
      Buffer.from([
        label,
        ...Array.from({ length: 3072 }, (_, i) => pixel(record, Math.floor(i / 1024), i % 1024)),
      ]),
    ),
  )
}
const pixel = (record: number, plane: number, place: number) => (record * 31 + plane * 97 + place * 7) % 256

describe('digits', () => {
  test('are 1,797 images of 8×8 pixels from 0 to 16, as shipped', async () => {
    const { facts, labels, trainable, ...found } = await readDataset(digits, shipped)
    const images = await found.images(0, labels.length)
    expect(facts).toMatchObject({
      name: 'digits',
      shape: [8, 8, 1],
      train: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
      test: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      sources: [{ name: 'digits.csv.gz', bytes: 57523 }],
    })
    expect([whiteOf(facts), trainable, labels.length, images.length]).toEqual([16, 1797, 1797, 1797 * 64])
    // The first row of the file.
    expect([...images.subarray(0, 16)]).toEqual([0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0])
    expect(labels[0]).toBe(0)
    expect(images.reduce((a, b) => Math.max(a, b))).toBe(16)
    expect(facts.citation).toMatch(/Alpaydin.*Kaynak.*1998.*CC BY 4\.0/)
    expect(await inspectDataset(digits, shipped)).toEqual(facts)
  })

  test('a file that was changed, cut or lost is refused', async () => {
    const file = join(folder, 'digits.csv.gz')
    const content = await readFile(join(shipped, 'digits.csv.gz'))
    expect((await errorOf(inspectDataset(digits, folder), UserError)).message).toBe(
      `${file} is missing; restore digits.csv.gz as it comes with Zeroshift, in data/digits`,
    )
    await writeFile(file, content.subarray(0, 50_000))
    expect((await errorOf(inspectDataset(digits, folder), UserError)).message).toMatch(
      'has 50000 bytes, expected 57523: it is truncated',
    )
    content[30_000] = 255 - (content[30_000] ?? 0)
    await writeFile(file, content)
    expect((await errorOf(inspectDataset(digits, folder), UserError)).message).toMatch(
      /has the SHA-256 [0-9a-f]{64}, expected 09f66e6d[0-9a-f]{56}: its content was changed/,
    )
  })
})

describe('cifar10', () => {
  test('records become images with the channels last, training files first', async () => {
    await writeFile(join(folder, 'a.bin'), records([3, 9]))
    await writeFile(join(folder, 'b.bin'), records([0]))
    await writeFile(join(folder, 't.bin'), records([3, 1]))
    const spec = cifar(['b.bin', 'a.bin'], ['t.bin'])
    const { facts, labels, trainable, ...found } = await readDataset(spec, folder)
    const images = await found.images(0, labels.length)
    expect([whiteOf(facts), trainable]).toEqual([255, 3])
    expect([...labels]).toEqual([0, 3, 9, 3, 1])
    for (const [image, record] of [0, 0, 1, 0, 1].entries())
      for (let place = 0; place < 1024; place++)
        expect([...images.subarray((image * 1024 + place) * 3, (image * 1024 + place + 1) * 3)]).toEqual(
          [0, 1, 2].map((plane) => pixel(record, plane, place)),
        )
    expect(facts).toMatchObject({
      shape: [32, 32, 3],
      train: [1, 0, 0, 1, 0, 0, 0, 0, 0, 1],
      test: [0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
      sources: [
        { name: 'b.bin', bytes: 3073, sha256: sha256(records([0])) },
        { name: 'a.bin', bytes: 6146, sha256: sha256(records([3, 9])) },
        { name: 't.bin', bytes: 6146 },
      ],
    })
    expect(facts.citation).toMatch(/Krizhevsky.*2009/)
    expect(await inspectDataset(spec, folder)).toEqual(facts)
  })

  test('every label comes back, in whatever files', async () => {
    const labels = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(labels, { minLength: 2, maxLength: 4 }), async (files) => {
        const names = files.map((_, i) => `part${i}.bin`)
        for (const [i, name] of names.entries()) await writeFile(join(folder, name), records(files[i] ?? []))
        const { labels, facts, trainable } = await readDataset(
          cifar(names.slice(1), names.slice(0, 1)),
          folder,
        )
        expect([...labels]).toEqual([...files.slice(1).flat(), ...(files[0] ?? [])])
        expect(trainable).toBe(files.slice(1).flat().length)
        expect(facts.train.reduce((a, b) => a + b)).toBe(trainable)
      }),
      { numRuns: 20 },
    )
  })

  test.each([
    ['missing', () => undefined, /x\.bin is missing; get the file anew from https/],
    ['a directory', (file: string) => mkdir(file), /x\.bin is a directory, expected a file/],
    ['empty', (file: string) => writeFile(file, ''), /x\.bin has 0 bytes.*it is empty/],
    [
      'truncated',
      (file: string) => writeFile(file, records([1, 2]).subarray(0, 6000)),
      /x\.bin has 6000 bytes, expected a positive multiple of 3073 .*truncated/,
    ],
    [
      'of other labels',
      (file: string) => writeFile(file, records([1, 2, 77])),
      /x\.bin: record 2 \(byte 6146\) has the label 77, expected 0 to 9/,
    ],
  ])('a file that is %s is refused, by inspecting and by reading', async (_, make, message) => {
    await writeFile(join(folder, 'a.bin'), records([1]))
    await make(join(folder, 'x.bin'))
    for (const work of [inspectDataset, readDataset]) {
      const { problems } = await errorOf(work(cifar(['a.bin'], ['x.bin']), folder), UserError)
      expect(problems).toEqual([{ path: 'data.test[0]', message: expect.stringMatching(message) as string }])
    }
  })

  test('a file with an official name has the official content', async () => {
    const file = join(folder, 'data_batch_2.bin')
    await writeFile(file, records([1]))
    const spec = cifar(['data_batch_2.bin'], ['test_batch.bin'])
    const { problems } = await errorOf(inspectDataset(spec, folder), UserError)
    expect(problems).toMatchObject([
      {
        path: 'data.train[0]',
        message: expect.stringMatching(/has 3073 bytes, expected 30730000: it is truncated/) as string,
      },
      { path: 'data.test[0]', message: expect.stringMatching(/test_batch\.bin is missing/) as string },
    ])
    await truncate(file, 30_730_000)
    expect((await errorOf(inspectDataset(spec, folder), UserError)).message).toMatch(
      /data_batch_2\.bin has the SHA-256 [0-9a-f]{64}, expected a591ca11fa1708a9.*: its content was changed/,
    )
  })

  test('the config line of a bad file is known', async () => {
    const text = [
      'name: a',
      'data:',
      '  name: cifar10',
      '  train: [a.bin]',
      '  test: [b.bin, c.bin]',
      'split: { kind: class, classes: [cat] }',
      'model: { name: cnn }',
      'training: { epochs: 1 }',
      'methods: [{ method: original }]',
    ].join('\n')
    await writeFile(join(folder, 'a.bin'), records([1]))
    await writeFile(join(folder, 'b.bin'), records([1]).subarray(1))
    const { spec, locate } = parseConfig({ file: 'c.yaml', text })
    const error = located(await errorOf(inspectDataset(spec.data, folder), UserError), locate)
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/^c\.yaml:5:10: .*b\.bin has 3072 bytes/),
      expect.stringMatching(/^c\.yaml:5:17: .*c\.bin is missing/),
    ])
  })

  const present = existsSync(join(official, 'data_batch_5.bin'))
  test.skipIf(!present)(
    `the official fifth batch${present ? '' : ' (skipped: the files are not beside this checkout)'}`,
    async () => {
      const spec = cifar(['data_batch_5.bin'], ['test_batch_first1000.bin'])
      const { facts, labels, trainable, images } = await readDataset(spec, official)
      expect(trainable).toBe(10_000)
      expect(facts.train).toEqual([1014, 1014, 952, 1016, 997, 1025, 980, 977, 1003, 1022])
      expect(facts.test.reduce((a, b) => a + b)).toBe(1000)
      expect((await images(0, labels.length)).length).toBe(11_000 * 3072)
    },
  )
})
