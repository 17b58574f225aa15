import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { storedDigests, storeDigests } from '../../../../activities/runtime/stored-digests.ts'
import { sha256 } from '../../../../common/canonical.ts'
import type { CodeName } from '../../../../experiment/stages/code.ts'
import { testDirectory } from '../../../support/directories.ts'

/** The texts of the files that the digests of two bodies depend on. */
const texts = { 'package.json': '{}', 'a/train.ts': 'train', 'a/split.ts': 'split' }
const names: readonly CodeName[] = ['train', 'split']

let root: string
beforeEach(async () => {
  root = testDirectory()
  for (const [path, text] of Object.entries(texts)) write(path, text)
  const digests = new Map(
    names.map((name) => [name, { digest: `digest of ${name}`, files: [join(root, `a/${name}.ts`)] }]),
  )
  const contents = Object.entries(texts).map(([path, text]) => [join(root, path), sha256(text)] as const)
  await storeDigests(digests, new Map(contents), root)
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

test('digests are found again while the files stay as they are', async () => {
  const found = await storedDigests(['train'], root)
  expect([...(found ?? [])]).toEqual([
    ['train', { digest: 'digest of train', files: [join(root, 'a/train.ts')] }],
  ])
})

test.each([
  ['a file was edited', () => write('a/train.ts', 'other')],
  ['a file was edited that another body depends on', () => write('a/split.ts', 'other')],
  ['a package has another version', () => write('package.json', '{ "dependencies": {} }')],
  ['a file was removed', () => rmSync(join(root, 'a/train.ts'))],
  ['the stored file is damaged', () => write('built/code-digests.json', '{')],
  ['the stored file is missing', () => rmSync(join(root, 'built'), { recursive: true })],
])('they are not if %s', async (_, change) => {
  change()
  expect(await storedDigests(['train'], root)).toBeUndefined()
})

test('they are not for a body that was not stored', async () => {
  expect(await storedDigests(['train', 'attack'], root)).toBeUndefined()
})

test('a checkout that cannot be written to stores none', async () => {
  const path = join(root, 'built/code-digests.json')
  rmSync(join(root, 'built'), { recursive: true })
  writeFileSync(join(root, 'built'), 'a file')
  await storeDigests(new Map(), new Map(), root)
  expect(() => readFileSync(path)).toThrow()
})
