import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { datasetDefinitions } from '../../../experiment/spec/data.ts'
import { whiteOf } from '../../../experiment/spec/white.ts'
import { dataFilesOf, defaultLocationOf } from '../../../datasets/index.ts'
import { dataSpec, read } from '../../support/reading.ts'

const folder = join(import.meta.dirname, '../../../datasets/readers')
const names = datasetDefinitions.map(({ name }) => name)

test('every data set has a reader, and every reader a data set', () => {
  const readers = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))
  expect(readers.sort()).toEqual(names.toSorted())
})

test.each(datasetDefinitions)('the reader of $name is loaded by its name', async ({ name, white }) => {
  expect((await dataFilesOf(dataSpec(name)))('a/b.txt')).toBe(false)
  expect(whiteOf({ name })).toBe(white)
})

test('the definition of digits agrees with the shipped files', async () => {
  const digits = dataSpec('digits')
  const { published } = datasetDefinitions[0]
  const home = await defaultLocationOf(digits)
  const { facts, labels, trainable, maximum, images } = await read(
    digits,
    home.kind === 'shipped' ? home.directory : '',
  )
  expect([trainable, labels.length - trainable]).toEqual(published?.samples)
  expect(facts.citation).toContain(published?.licence)
  expect(images.reduce((a, b) => Math.max(a, b))).toBe(maximum)
})
