import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { startOf } from '../../../host/alive.mjs'
import { compiledEntry } from '../../../infra/compiled.mjs'
import { testDirectory } from '../../support/directories.ts'

const module = new URL('../../../infra/compiled.mjs', import.meta.url).href

/** The entries that no test executes. */
const others = ['worker/prepare.ts', 'api/index.ts', 'learning/tensorflow/tf.ts']

/** A small checkout, whose command prints what it imports. */
let root: string
beforeEach(() => {
  root = testDirectory()
  write('package.json', '{ "type": "module" }')
  write(
    'cli/main.ts',
    "import { word } from '../common/word.ts'\nconst text: string = word\nconsole.log(text)\n",
  )
  write('worker/main.ts', "const word: string = 'worker'\nconsole.log(word)\n")
  for (const entry of others) write(entry, '')
  write('common/word.ts', "export const word: string = 'first'\n")
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

async function compiled(entry: 'cli/main.ts' | 'worker/main.ts' = 'cli/main.ts'): Promise<string> {
  const url = await compiledEntry(entry, root)
  if (url === undefined) throw new Error('the build cannot be written')
  return fileURLToPath(url)
}

const printed = async (entry?: 'cli/main.ts' | 'worker/main.ts') =>
  spawnSync(process.execPath, [await compiled(entry)], { encoding: 'utf8' }).stdout.trim()
const builds = () => readdirSync(join(root, 'built/compiled')).filter((name) => !name.includes('.'))

test('a compiled entry does what its sources do', async () => {
  expect(await printed()).toBe('first')
  expect(await printed('worker/main.ts')).toBe('worker')
  expect(builds()).toHaveLength(1)
})

test('compiled code has the digests of its sources', async () => {
  write(
    'cli/main.ts',
    'declare const COMPILED_SOURCES: Record<string, string>\nconsole.log(JSON.stringify(COMPILED_SOURCES))\n',
  )
  const sources = ['cli/main.ts', 'package.json', 'worker/main.ts', ...others]
  const sha256 = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(root, path)))
      .digest('hex')
  expect(JSON.parse(await printed())).toEqual(Object.fromEntries(sources.map((path) => [path, sha256(path)])))
})

test('methods are compiled, although their import is hidden from bundlers', async () => {
  write(
    'unlearning/method.ts',
    'export async function load(name: string): Promise<unknown> {\n  const file = `./methods/${name}.ts`\n  return await import(file)\n}\n',
  )
  write('unlearning/methods/one.ts', "export const word: string = 'a method'\n")
  write(
    'cli/main.ts',
    "import { load } from '../unlearning/method.ts'\nconsole.log(((await load('one')) as { word: string }).word)\n",
  )
  expect(await printed()).toBe('a method')
  write(
    'unlearning/method.ts',
    'export const load = (file: string): Promise<unknown> => import(`./${file}`)\n',
  )
  await expect(compiledEntry('cli/main.ts', root)).rejects.toThrow(
    /has `import\(file\)` 0 times; expected it once/,
  )
})

test('unchanged sources are compiled once, also by several processes at the same time', async () => {
  const script = `const { compiledEntry } = await import(${JSON.stringify(module)})
console.log(await compiledEntry('cli/main.ts', ${JSON.stringify(root)}))`
  const answers = await Promise.all(
    [1, 2, 3].map(() => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])),
  )
  const urls = answers.map(({ stdout }) => stdout.trim())
  expect(new Set([...urls, await compiledEntry('cli/main.ts', root)]).size).toBe(1)
  expect(builds()).toHaveLength(1)
})

describe('a change is never missed', () => {
  test.each([
    ['an edited import', () => write('common/word.ts', "export const word: string = 'other'\n"), 'other'],
    ['an edited entry', () => write('cli/main.ts', "console.log('entry')\n"), 'entry'],
    [
      'a moved import',
      () => {
        rmSync(join(root, 'common/word.ts'))
        write('common/moved.ts', "export const word = 'moved'\n")
        write('cli/main.ts', "import { word } from '../common/moved.ts'\nconsole.log(word)\n")
      },
      'moved',
    ],
  ])('%s', async (_, edit, expected) => {
    const before = await compiled()
    edit()
    expect(await printed()).toBe(expected)
    expect(await compiled()).not.toBe(before)
  })

  test('other packages', async () => {
    const before = await compiled()
    write('package.json', '{ "type": "module", "dependencies": {} }')
    expect(await compiled()).not.toBe(before)
  })

  test('an edit that is undone leads back to the first build', async () => {
    const before = await compiled()
    write('common/word.ts', "export const word: string = 'other'\n")
    await compiled()
    write('common/word.ts', "export const word: string = 'first'\n")
    expect(await compiled()).toBe(before)
  })
})

test('a module finds files of the checkout by the URL of its source', async () => {
  write('cli/main.ts', 'console.log(import.meta.url)\n')
  expect(await printed()).toBe(pathToFileURL(join(root, 'cli/main.ts')).href)
})

test('a build works in another directory', async () => {
  write('cli/main.ts', 'console.log(import.meta.url)\n')
  const path = await compiled()
  const copy = testDirectory()
  cpSync(root, copy, { recursive: true })
  const { stdout } = spawnSync(process.execPath, [join(copy, relative(root, path))], { encoding: 'utf8' })
  expect(stdout.trim()).toBe(pathToFileURL(join(copy, 'cli/main.ts')).href)
  expect(await compiledEntry('cli/main.ts', copy)).toBe(pathToFileURL(join(copy, relative(root, path))).href)
})

test('an installed package notes no users in its build', async () => {
  write('built/packed.json', '{}')
  expect(existsSync(join(dirname(dirname(await compiled())), 'users'))).toBe(false)
})

test('an old build is removed, unless a living process uses it', async () => {
  const build = async (word: string) => {
    write('common/word.ts', `export const word = '${word}'\n`)
    return dirname(dirname(await compiled()))
  }
  const [unused, used] = [await build('unused'), await build('used')]
  writeFileSync(join(unused, 'users', String(process.pid)), 'another start')
  writeFileSync(join(used, 'users', String(process.pid)), startOf(process.pid) ?? '')
  utimesSync(unused, 0, 0)
  utimesSync(used, 0, 0)
  const now = await build('now')
  expect(builds().sort()).toEqual([used, now].map((path) => path.slice(-64)).sort())
})

test.skipIf(process.getuid?.() === 0)('a checkout that is read-only has no build', async () => {
  chmodSync(root, 0o555)
  expect(await compiledEntry('cli/main.ts', root)).toBeUndefined()
})
