import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataSpec, emptyFolder, read, refusal } from '../../support/reading.ts'

const folder = emptyFolder()

/** Superclass, class, and planes whose pixels tell record, plane and place. */
function records(labels: readonly (readonly [number, number])[]): Buffer {
  return Buffer.from(
    labels.flatMap(([coarse, fine], record) => [
      coarse,
      fine,
      ...Array.from({ length: 3072 }, (_, i) => pixel(record, Math.floor(i / 1024), i % 1024)),
    ]),
  )
}
const pixel = (record: number, plane: number, place: number) => (record * 31 + plane * 97 + place * 7) % 256

test('the fine label is the class, the coarse one where it is asked for', async () => {
  await writeFile(
    join(folder(), 'train.bin'),
    records([
      [11, 19],
      [4, 0],
      [19, 99],
    ]),
  )
  await writeFile(join(folder(), 'test.bin'), records([[0, 55]]))
  const fine = await read(dataSpec('cifar100'), folder())
  expect(fine.labels).toEqual([19, 0, 99, 55])
  expect([19, 0, 99, 55].map((label) => fine.facts.classes[label])).toEqual([
    'cattle',
    'apple',
    'worm',
    'otter',
  ])
  expect(fine.facts.classes).toHaveLength(100)
  expect(fine.trainable).toBe(3)
  for (const [image, record] of [0, 1, 2, 0].entries())
    for (const place of [0, 1, 31, 32, 1023])
      expect(fine.images.slice((image * 1024 + place) * 3, (image * 1024 + place + 1) * 3)).toEqual(
        [0, 1, 2].map((plane) => pixel(record, plane, place)),
      )

  const coarse = await read(dataSpec('cifar100', { labels: 'coarse' }), folder())
  expect(coarse.labels).toEqual([11, 4, 19, 0])
  expect([11, 4, 19, 0].map((label) => coarse.facts.classes[label])).toEqual([
    'large_omnivores_and_herbivores',
    'fruit_and_vegetables',
    'vehicles_2',
    'aquatic_mammals',
  ])
  expect(coarse.facts.classes).toHaveLength(20)
  expect(coarse.images).toEqual(fine.images)
})

test('a file in the layout of CIFAR-10, a label out of range and a file that is missing are refused by name', async () => {
  await writeFile(join(folder(), 'train.bin'), Buffer.alloc(3073))
  expect((await refusal(dataSpec('cifar100'), folder())).problems).toEqual([
    {
      path: 'data.name',
      message: expect.stringMatching(/train\.bin has 3073 bytes, .*of 3074 \(2 label bytes/) as string,
    },
    { path: 'data.name', message: expect.stringMatching(/test\.bin is missing/) as string },
  ])
  await writeFile(
    join(folder(), 'train.bin'),
    records([
      [0, 0],
      [0, 100],
    ]),
  )
  await writeFile(join(folder(), 'test.bin'), records([[20, 0]]))
  expect((await refusal(dataSpec('cifar100'), folder())).message).toMatch(
    /train\.bin: record 1 \(byte 3074\) has the label 100, expected 0 to 99/,
  )
  expect((await refusal(dataSpec('cifar100', { labels: 'coarse' }), folder())).message).toMatch(
    /test\.bin: record 0 \(byte 0\) has the label 20, expected 0 to 19/,
  )
})
