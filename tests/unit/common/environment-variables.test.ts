import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { environmentVariables, variableGroups } from '../../../common/environment-variables.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const outside = ['node_modules', 'built', 'tests', 'docs', 'dist', '.git', '.zeroshift']
const theList = 'common/environment-variables.ts'
/** Variables that Zeroshift sets for the programs that it starts, and never reads. */
const forPrograms = ['ZEROSHIFT_TASK']

/** The product's source files, relative to the checkout. */
function sources(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return outside.includes(path) ? [] : sources(path)
    return entry.isFile() && /\.([cm]?js|ts)$/.test(entry.name) && path !== theList ? [path] : []
  })
}

const withoutComments = (text: string) => text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')

/** The names of environment variables that some source reads. */
function namesRead(source: string): readonly string[] {
  const text = withoutComments(source)
  const matches = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)
  return [
    // process.env.NAME, env.NAME and environment.NAME.
    ...matches(/\b(?:env|environment)\.([A-Z][A-Z0-9_]*)\b/g),
    // { NAME } = process.env, { NAME: name }: NodeJS.ProcessEnv,
    // { NAME = '' } = { ...process.env }.
    ...matches(
      /\{([^{}]*)\}\s*(?:=\s*(?:\{\s*\.\.\.)?(?:process\.)?(?:env|environment)\b|:\s*NodeJS\.ProcessEnv)/g,
    ).flatMap((names) => [...names.matchAll(/(?:^|,)\s*([A-Z][A-Z0-9_]*)\b/g)].map(([, name = '']) => name)),
    // secretOf('NAME'), env['NAME'] and constants that hold a name.
    ...matches(/['"`]((?:ZEROSHIFT|TEMPORAL|AWS|MLFLOW|HF|OTEL|CUDA)_[A-Z0-9_]+)['"`]/g),
    // function f({ NAME: name }) in JavaScript, which declares no type.
    ...matches(/\(\{ (ZEROSHIFT_[A-Z0-9_]+)\b/g),
  ]
}

/** Each name that is read, with a file that reads it. */
const read = new Map(
  sources().flatMap((file) =>
    namesRead(readFileSync(join(root, file), 'utf8')).map((name) => [name, file] as const),
  ),
)
const listed = environmentVariables.map(({ name }) => name)
const secretFiles = environmentVariables.filter(({ isSecret }) => isSecret).map(({ name }) => `${name}_FILE`)

test('every environment variable that the sources read is listed', () => {
  const known = [...listed, ...secretFiles, ...forPrograms]
  const missing = [...read].filter(([name]) => !known.includes(name))
  expect(missing).toEqual([])
})

test('every listed variable is read, by the sources or by a library', () => {
  const unread = environmentVariables.filter(({ name, library }) => library === undefined && !read.has(name))
  expect(unread.map(({ name }) => name)).toEqual([])
})

test('a variable that only a library reads is not read by the sources', () => {
  const both = environmentVariables.filter(({ name, library }) => library !== undefined && read.has(name))
  expect(both.map(({ name }) => name)).toEqual([])
})

test('each variable is listed once, with a sentence and its values', () => {
  expect(listed.filter((name, i) => listed.indexOf(name) !== i)).toEqual([])
  for (const { name, meaning, values, readBy } of environmentVariables) {
    expect(meaning, name).toMatch(/^[A-Z].*\.$/)
    expect(values, name).not.toBe('')
    expect(readBy.length, name).toBeGreaterThan(0)
  }
})

test('no group is empty, and the variables of a group stand together', () => {
  const groups = environmentVariables.map(({ group }) => group)
  expect(groups.filter((group, i) => group !== groups[i - 1])).toEqual(variableGroups)
})

test.each([
  ['process.env.A_B ?? 1', ['A_B']],
  ['const { A, B: b } = process.env', ['A', 'B']],
  ["function f({ A: a = '' }: NodeJS.ProcessEnv) {}", ['A']],
  ["secretOf('ZEROSHIFT_KEY')", ['ZEROSHIFT_KEY']],
  ['// process.env.A\n/* env.B */', []],
  ['{ ...process.env, A: 1 }', []],
])('%s reads %j', (text, names) => {
  expect(namesRead(text)).toEqual(names)
})
