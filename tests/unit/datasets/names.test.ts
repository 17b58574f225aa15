import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { isSafeName } from '../../../common/safe-name.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { inspectDataset, readDataset } from '../../../datasets/index.ts'
import { fileDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'

/** Configs name files in the data's directory; what lies beside it is not theirs to name. */
const directory = fileDirectory()
beforeAll(() => {
  mkdirSync(join(directory, 'data', 'inner'), { recursive: true })
  for (const name of ['secret', 'secret.npz', 'secret.parquet'])
    writeFileSync(join(directory, name), 'S3CRET')
})

const data = (spec: object) => specSchema.shape.data.parse(spec)
const outside = (ending: string) => [
  `../secret${ending}`,
  `inner/../../secret${ending}`,
  join(directory, `secret${ending}`),
  `./../secret${ending}`,
  `..\\secret${ending}`,
  `inner//../secret${ending}`,
]

describe.each([
  ['npz', outside('.npz').map((file) => ({ name: 'npz', file }))],
  [
    'cifar10',
    outside('').flatMap((file) => [
      { name: 'cifar10', train: [file] },
      { name: 'cifar10', test: [file] },
    ]),
  ],
  [
    'parquet',
    outside('.parquet').flatMap((file) => [
      { name: 'parquet', train: [file] },
      { name: 'parquet', train: ['**'], test: [file] },
    ]),
  ],
])('a file of %s', (_, specs) => {
  test.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))('%s is not read', async (_, spec) => {
    for (const look of [inspectDataset, readDataset]) {
      const error = await errorOf(look(data(spec), join(directory, 'data')), UserError)
      // Neither what it is (6 bytes, no archive) nor what is in it.
      expect(String(error)).not.toMatch(/S3CRET|6 bytes|SHA-256|is no /)
      expect(String(error)).toMatch(/leads out of the data's directory|holds no parquet file/)
    }
  })
})

test('a safe name stays where it is', () => {
  for (const name of ['a', 'a/b.png', '..a/b..', 'a b/ä', '.hidden']) expect(isSafeName(name)).toBe(true)
  for (const name of ['', '.', '..', '/', '/a', 'a/', 'a//b', 'a/../b', './a', 'a\\b', 'a\0'])
    expect(isSafeName(name)).toBe(false)
})
