import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeMatlab } from '../../../datasets/matlab.ts'
import { dataSpec, emptyFolder, expected, read, refusal, written } from '../../support/reading.ts'

const folder = emptyFolder()
const files = join(written, 'svhn')

test('files in the published layout, written by SciPy, are images and labels; a 10 is a zero', async () => {
  const { facts, trainable, images, labels } = await read(dataSpec('svhn'), files)
  const [train, test] = [expected['svhn-train'], expected['svhn-test']]
  expect(labels).toEqual([...(train?.labels ?? []), ...(test?.labels ?? [])])
  expect(labels).toEqual([1, 0, 4, 9, 0])
  expect(images).toEqual([...(train?.images ?? []), ...(test?.images ?? [])])
  expect(trainable).toBe(3)
  expect(facts).toMatchObject({
    shape: [32, 32, 3],
    train: [1, 1, 0, 0, 1, 0, 0, 0, 0, 0],
    test: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    citation: expect.stringMatching(/Netzer/) as string,
  })
})

test('extra samples are training samples where they are asked for', async () => {
  for (const name of ['train', 'test'])
    await copyFile(join(files, `${name}_32x32.mat`), join(folder(), `${name}_32x32.mat`))
  await copyFile(join(files, 'test_32x32.mat'), join(folder(), 'extra_32x32.mat'))
  const { trainable, labels } = await read(dataSpec('svhn', { extra: true }), folder())
  expect([trainable, labels]).toEqual([5, [1, 0, 4, 9, 0, 9, 0]])
})

test('a file that is cut, changed, another, or missing is refused by name', async () => {
  const content = await readFile(join(files, 'train_32x32.mat'))
  const file = join(folder(), 'train_32x32.mat')
  const message = async () => (await refusal(dataSpec('svhn'), folder())).message
  expect(await message()).toMatch(/train_32x32\.mat is missing[^]*test_32x32\.mat is missing/)
  await copyFile(join(files, 'test_32x32.mat'), join(folder(), 'test_32x32.mat'))
  await writeFile(file, content.subarray(0, 200))
  expect(await message()).toMatch(
    /^\S*train_32x32\.mat is truncated: an element takes \d+ bytes, of \d+ that are there; get/,
  )
  await writeFile(file, content.with(200, 255 - (content[200] ?? 0)))
  expect(await message()).toMatch(/cannot be unpacked/)
  await writeFile(file, content.subarray(0, 128))
  expect(await message()).toMatch(/has no arrays, expected X and y/)
  await copyFile(join(written, 'mat/plain.mat'), file)
  expect(await message()).toMatch(/has the arrays a, b, expected X and y/)
  await writeFile(file, 'a text')
  expect(await message()).toMatch(/is no MATLAB file of level 5/)
})

test('arrays of doubles and of whole numbers keep MATLAB’s order', async () => {
  const arrays = await decodeMatlab(await readFile(join(written, 'mat/plain.mat')))
  expect(arrays.get('a')?.shape).toEqual([2, 3])
  expect([...(arrays.get('a')?.values ?? [])]).toEqual([0, 3, 1, 4, 2, 5])
  expect([...(arrays.get('b')?.values ?? [])]).toEqual([1, 2])
})
