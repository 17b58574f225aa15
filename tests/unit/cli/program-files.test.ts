import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { packedProgram, programFilesOf } from '../../../cli/launch/program-files.ts'
import { testDirectory } from '../../support/directories.ts'

let folder: string
let config: string

beforeEach(() => {
  folder = testDirectory()
  config = join(folder, 'config.yaml')
  mkdirSync(join(folder, 'lib', 'deep'), { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['a.py', 'b.py', '.hidden.py', 'lib/c.py', 'lib/deep/d.py', 'node_modules/e.py'])
    writeFileSync(join(folder, name), `# ${name}`)
})

const pathsOf = async (...patterns: readonly string[]) =>
  (await programFilesOf(config, patterns, 'files')).map(({ path }) => path)

test.each<[readonly string[], readonly string[]]>([
  [['a.py'], ['a.py']],
  [['./a.py'], ['a.py']],
  [['*.py'], ['a.py', 'b.py']],
  [
    ['lib/*.py', 'b.py', 'b.py'],
    ['b.py', 'lib/c.py'],
  ],
  [['**/*.py'], ['a.py', 'b.py', 'lib/c.py', 'lib/deep/d.py']],
  [[], []],
])('%j are %j', async (patterns, paths) => {
  expect(await pathsOf(...patterns)).toEqual(paths)
})

test.each<[string, RegExp]>([
  ['none.py', /none\.py: there is no such file/],
  ['*.r', /files\[0\].*"\*\.r" matches no file|"\*\.r" matches no file/],
  ['lib', /lib: .*directory/],
])('%s is refused', async (pattern, said) => {
  await expect(programFilesOf(config, [pattern], 'files')).rejects.toThrow(said)
})

test('a link that leads out of the folder is refused, and one inside of it is a copy', async () => {
  const elsewhere = testDirectory()
  writeFileSync(join(elsewhere, 'secret'), 'x')
  symlinkSync(join(elsewhere, 'secret'), join(folder, 'out.py'))
  symlinkSync(join(folder, 'a.py'), join(folder, 'in.py'))
  await expect(programFilesOf(config, ['out.py'], 'files')).rejects.toThrow('leads out of the folder')
  expect(await pathsOf('in.py')).toEqual(['in.py'])
})

test('more than 10 MB together are refused', async () => {
  for (const name of ['one.bin', 'two.bin']) writeFileSync(join(folder, name), Buffer.alloc(6_000_000))
  await expect(programFilesOf(config, ['*.bin'], 'files')).rejects.toThrow('more than 10 MB together')
})

test('the archive depends on names and contents alone, and a changed file is noticed', async () => {
  const files = await programFilesOf(config, ['**/*.py'], 'files')
  const packed = await packedProgram(config, files)
  expect(await packedProgram(config, files)).toEqual(packed)
  writeFileSync(join(folder, 'a.py'), '# changed')
  await expect(packedProgram(config, files)).rejects.toThrow('is not the file that the run was planned with')
})
