import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { smallConfig } from './command.ts'
import { testDirectory } from './directories.ts'
import { zeroshiftHere } from './in-process.ts'

/**
 * The audit: commands that are given something wrong, each a row of a table. Every row is held to
 * the same rules (`refused`); a class of rows is a file in tests/unit/cli/audit.
 */
export interface Attempt {
  readonly args: readonly string[]
  /**
   * A pattern that standard error has to match: the place (file, line or option) and what was
   * expected.
   */
  readonly says: RegExp
  /** Files that are in the working directory before. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Makes what is no plain file, such as a FIFO or a store with a run in it. */
  readonly prepare?: (directory: string) => unknown
  readonly env?: Readonly<Record<string, string>>
  /** A pattern of secrets that may not be shown, such as a password. */
  readonly hides?: RegExp
  /** 2 unless given: the input is wrong. */
  readonly code?: number
}

/** Rows by their titles. */
export type Attempts = Readonly<Record<string, Attempt>>

/** Commands that have no `--json`. */
const WITHOUT_JSON =
  /^(pause|cancel|worker|init|export|completion|setup( .*)?|up|report|schema|track|walk|adapter|adapter (export|merge|walk)|ui( .*)?)$/
/**
 * The limit of processor time of all threads. Unlike the clock, it hardly depends on other
 * processes.
 */
const MOST_SECONDS = 3
/**
 * The limit of the length of one word, including quotation marks and escaped control characters.
 */
const MOST_CHARACTERS = 300
/** The time after which a row that waits for something has failed. */
const MOST_MS = 30_000

let directory: string

/** A row for each entry of a table, under the same title. */
export function attemptsFor<T>(
  table: Readonly<Record<string, T>>,
  attemptOf: (value: T) => Attempt,
): Attempts {
  return Object.fromEntries(Object.entries(table).map(([title, value]) => [title, attemptOf(value)]))
}

/** A suite with a test for each row. */
export function audit(title: string, attempts: Attempts): void {
  describe(title, () => {
    beforeEach(() => {
      directory = testDirectory()
      for (const name of Object.keys(process.env))
        if (/^(ZEROSHIFT_(?!LOG$)|TEMPORAL_|MLFLOW_|AWS_|HF_|OTEL_)/.test(name)) vi.stubEnv(name, undefined)
      vi.stubEnv('ZEROSHIFT_CACHE', join(directory, 'cache'))
    })
    afterEach(() => {
      vi.unstubAllEnvs()
    })
    test.each(Object.entries(attempts))('%s', (_, attempt) => refused(attempt), MOST_MS)
  })
}

/** Runs the command, and checks all that a refusal has to be. */
async function refused({
  args,
  says,
  files = {},
  prepare,
  env = {},
  hides,
  code = 2,
}: Attempt): Promise<void> {
  for (const [name, content] of Object.entries({ 'small.yaml': smallConfig, ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  await within(directory, () => prepare?.(directory))
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const verb = args.slice(0, /^(adapter|data|setup|store|key|ui)$/.test(args[0] ?? '') ? 2 : 1)
  const json = !WITHOUT_JSON.test(verb.join(' '))

  const before = contentOf(directory)
  const began = process.cpuUsage()
  // Behind the verb: at the end it may become the value of an option.
  const ended = await zeroshiftHere(directory, ...(json ? args.toSpliced(verb.length, 0, '--json') : args))
  const { user, system } = process.cpuUsage(began)

  expect(ended.stderr).toMatch(says)
  expect(ended.code).toBe(code)
  expect(contentOf(directory)).toEqual(before)
  expectPlainWords(ended.stderr)
  expectPlainWords(ended.stdout)
  expectNoLongWords(ended.stderr)
  expectNoLongWords(ended.stdout.replaceAll(/[",]/g, ' '))
  if (hides) expect(`${ended.stdout}${ended.stderr}`).not.toMatch(hides)
  if (json) expectOneObject(ended.stdout)
  else expect(ended.stdout).toBe('')
  expect((user + system) / 1e6).toBeLessThan(MOST_SECONDS)
}

async function within(directory: string, work: () => unknown): Promise<void> {
  const before = process.cwd()
  process.chdir(directory)
  try {
    await work()
  } finally {
    process.chdir(before)
  }
}

/** All files in the working directory, including the store and the cache. */
function contentOf(root: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = join(root, name)
    const { mode, size, mtimeMs } = lstatSync(file)
    const isSmall = lstatSync(file).isFile() && size < 1e6 && (mode & 0o400) !== 0
    const content = isSmall ? createHash('sha256').update(readFileSync(file)).digest('hex') : mtimeMs
    found[name] = `${mode} ${lstatSync(file).isDirectory() ? 'directory' : `${size} ${content}`}`
  }
  return found
}

/** Controls but line break and tab, and what reorders text. */
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/ // eslint-disable-line no-control-regex
const STACK = /^\s+at .*:\d+:\d+\)?$|node:internal/m
const JARGON =
  /\bundefined\b|\[object |\bZod|Invalid (key|input|option|discriminator)|Too (small|big)|invalid_|too_(big|small)|unrecognized_|(Type|Reference|Syntax|Range)Error|Cannot read prop|is not (a function|iterable)/

function expectPlainWords(text: string): void {
  expect(text).not.toMatch(CONTROLS)
  expect(text).not.toMatch(STACK)
  expect(text).not.toMatch(JARGON)
}

/** Input of any length is not repeated in full. */
function expectNoLongWords(text: string): void {
  expect(text.split(/\s/).filter((word) => word.length > MOST_CHARACTERS)).toEqual([])
}

function expectOneObject(stdout: string): void {
  expect(stdout).toMatch(/^\{.*\}\n$/)
  const { status, problems, error } = JSON.parse(stdout) as Readonly<Record<string, unknown>>
  expect(status).toMatch(/^(invalid|failed)$/)
  expect(problems ?? error).toBeTruthy()
}
