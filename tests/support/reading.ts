import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { beforeEach, expect } from 'vitest'
import { datasetDefinitions } from '../../experiment/spec/data.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { UserError } from '../../common/errors.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import { inspectDataset, readDataset, type DecodingCache } from '../../datasets/index.ts'
import { testDirectory } from './directories.ts'
import { errorOf } from './errors.ts'

/** Helpers of the tests of data set readers. */

/** Files that libraries in Python wrote (tests/reference/make_data.py). */
export const written = join(import.meta.dirname, '../reference/data')

interface Content {
  readonly images: readonly number[]
  readonly labels: readonly number[]
}

/** The content of these files as those libraries read it: pixels [n, h, w, c] and labels. */
export const expected = JSON.parse(await readFile(join(written, 'expected.json'), 'utf8')) as Readonly<
  Record<string, Content>
> & { readonly images: Readonly<Record<string, readonly number[]>> }

export function dataSpec<N extends DataSpec['name']>(
  name: N,
  options: Readonly<Record<string, unknown>> = {},
): Extract<DataSpec, { name: N }> {
  return specSchema.shape.data.parse({ name, ...options }) as Extract<DataSpec, { name: N }>
}

/** An empty folder for each test. */
export function emptyFolder(): () => string {
  let folder = ''
  beforeEach(() => {
    folder = testDirectory()
  })
  return () => folder
}

/**
 * Reads a data set, with images as bytes of each sample. Checks that inspecting gives the same
 * facts, and that they agree with the definition of a published data set.
 */
export async function read(spec: DataSpec, directory: string) {
  const { facts, labels, trainable, ...found } = await readDataset(spec, directory)
  expect(await inspectDataset(spec, directory)).toEqual(facts)
  const published = datasetDefinitions.find(({ name }) => name === spec.name)?.published
  if (published) expect(facts.shape).toEqual(published.shape)
  // Options such as `labels: coarse` select other classes.
  if (published && isDeepStrictEqual(spec, dataSpec(spec.name)))
    expect(facts.classes).toHaveLength(published.classes)
  const images = [...(await found.images(0, labels.length))]
  const checked = remembering()
  expect(await inspectDataset(spec, directory, { decodingCache: checked })).toEqual(facts)
  expect(await inspectDataset(spec, directory, { decodingCache: checked })).toEqual(facts)
  const again = await readDataset(spec, directory, { inMemoryBytes: 0, decodingCache: checked })
  expect([...(await again.images(0, labels.length))]).toEqual(images)
  const size = facts.shape[0] * facts.shape[1] * facts.shape[2]
  expect(images.length).toBe(labels.length * size)
  return { facts, maximum: whiteOf(facts), trainable, images, labels: [...labels] }
}

/** A cache in memory of the facts about images. */
export function remembering(): DecodingCache & { readonly known: Map<string, unknown> } {
  const known = new Map<string, unknown>()
  return {
    known,
    get: (key) => Promise.resolve(known.get(key)),
    put: (key, value) => Promise.resolve(void known.set(key, value)),
  }
}

/** The problems that reading and inspecting end with, one and the same. */
export async function refusal(spec: DataSpec, directory: string): Promise<UserError> {
  const [one, other] = [
    await errorOf(readDataset(spec, directory), UserError),
    await errorOf(inspectDataset(spec, directory), UserError),
  ]
  expect(other.problems).toEqual(one.problems)
  return one
}
