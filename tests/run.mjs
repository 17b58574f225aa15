import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TIERS = ['pure', 'kernels', 'unit', 'alone', 'onednn-off', 'integration', 'e2e', 'faults']
/** These tiers have no folder of their own: they consist of files of the other tiers' folders. */
const WITHOUT_FOLDER = ['pure', 'kernels', 'alone', 'onednn-off']
const USAGE = `Usage: node tests/run.mjs [TIER...] [--checks]

Without arguments: the static checks, then every tier (${TIERS.join(', ')}).
`

const CHECKS = [
  { name: 'types, and lint of the sources', program: '../tests/lint.mjs', args: ['sources'] },
  {
    name: 'types of the page, and lint of it and of the tests',
    program: '../tests/lint.mjs',
    args: ['others'],
  },
  { name: 'format', program: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level=warn', '.'] },
  {
    name: 'imports between folders',
    program: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['--config', '.dependency-cruiser.cjs', ...rooms()],
    needs: '.dependency-cruiser.cjs',
  },
  { name: 'licences', program: '../infra/licences.mjs', args: ['--check'] },
]

/**
 * The folders of the repository. They are named one by one, since dependency-cruiser walks through
 * node_modules when it gets `.`.
 */
function rooms() {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter(({ name }) => !['node_modules', 'built'].includes(name))
    .map(({ name }) => name)
}

const children = new Set()
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    isStopped = true
    for (const child of children) child.kill(signal)
  })
}

/**
 * Runs a program to its end, by its path from node_modules.
 * @param {string} program
 * @param {string[]} args
 * @param {boolean} isShown whether its output goes to the screen; it is returned otherwise
 * @returns {Promise<{ isSuccess: boolean, output: string }>}
 */
function run(program, args, isShown) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', program), ...args], {
      cwd: ROOT,
      stdio: ['ignore', isShown ? 'inherit' : 'pipe', isShown ? 'inherit' : 'pipe'],
    })
    children.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    }
    child.on('error', (error) => (output += error.message))
    child.on('close', (code) => {
      children.delete(child)
      resolve({ isSuccess: code === 0, output })
    })
  })
}

/** The static checks side by side, as many as there are cores. */
async function runChecks() {
  const waiting = CHECKS.filter(({ needs }) => !needs || existsSync(join(ROOT, needs)))
  const counts = { passed: 0, failed: 0, failures: [], skipped: [] }
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const started = performance.now()
      const { isSuccess, output } = await run(check.program, check.args, false)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${isSuccess ? '✓' : '✗'} ${check.name} (${seconds} s)`)
      if (!isSuccess) console.log(`${output.trimEnd()}\n`)
      counts[isSuccess ? 'passed' : 'failed'] += 1
      if (!isSuccess) counts.failures.push(`${check.name}\n${beginning(output)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(waiting.length, availableParallelism()) }, work))
  return counts
}

function hasFiles(directory) {
  return existsSync(directory) && readdirSync(directory).length > 0
}

async function runTier(tier) {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-tests-'))
  try {
    const file = join(directory, 'results.json')
    console.log(`\nTests: ${tier}`)
    const args = [
      'run',
      '--project',
      tier,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ]
    const { isSuccess } = await run('vitest/vitest.mjs', args, true)
    return count(file, isSuccess)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * Counts the results of a tier. A file that does not load and an error outside a test count as one
 * failure, although no test failed.
 */
function count(file, isSuccess) {
  const counts = { passed: 0, failed: 0, failures: [], skipped: [] }
  const fail = (name, message = '') => {
    counts.failed += 1
    counts.failures.push(`${name}\n${beginning(message)}`)
  }
  const { testResults } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] }
  for (const { name, status, message, assertionResults } of testResults) {
    const path = relative(ROOT, name)
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') fail(`${path}: ${fullName}`, failureMessages.join('\n'))
      else if (status === 'passed') counts.passed += 1
      else counts.skipped.push(`${path}: ${fullName}`)
    }
    if (status === 'failed' && !assertionResults.some(({ status }) => status === 'failed')) {
      fail(path, message)
    }
  }
  if (!isSuccess && !counts.failed) fail('an error outside of the tests, shown above')
  return counts
}

/**
 * The numbers of skipped tests by the reason that their names give, and the names of tests that
 * give none.
 */
function reasons(skipped) {
  const numbers = new Map()
  for (const name of skipped) {
    const reason = /\(skipped:? (.*?)\)/.exec(name)?.[1] ?? name
    numbers.set(reason, (numbers.get(reason) ?? 0) + 1)
  }
  return [...numbers].map(([reason, number]) => `↓ ${number} × ${reason}`)
}

/**
 * The beginning of a failure's message, indented, without colours and stack frames of libraries.
 */
function beginning(message) {
  const lines = stripVTControlCharacters(message).trim().split('\n')
  const own = lines.filter((line) => !line.includes('/node_modules/')).slice(0, 12)
  return own.map((line) => `    ${line.slice(0, 200)}`).join('\n')
}

const wanted = process.argv.slice(2)
const unknown = wanted.find((word) => word !== '--checks' && !TIERS.includes(word))
if (unknown) {
  console.error(`${unknown === '--help' ? '' : `Unknown argument ${unknown}.\n\n`}${USAGE}`)
  process.exit(unknown === '--help' ? 0 : 2)
}

const wantsChecks = !wanted.length || wanted.includes('--checks')
const tiers = TIERS.filter((tier) =>
  wanted.length
    ? wanted.includes(tier)
    : WITHOUT_FOLDER.includes(tier) || hasFiles(join(ROOT, 'tests', tier)),
)

const all = wantsChecks ? [await runChecks()] : []
for (const tier of tiers) {
  if (!isStopped) all.push(await runTier(tier))
}

const total = (kind, from = all) => from.reduce((sum, counts) => sum + counts[kind], 0)
const [passed, failed] = ['passed', 'failed'].map((kind) => total(kind))
const skipped = all.flatMap(({ skipped }) => skipped)
const isEmpty = wanted.join() !== '--checks' && !total('passed', wantsChecks ? all.slice(1) : all)
if (isEmpty && !failed) console.log('\nNo test ran.')
if (skipped.length) console.log(`\nSkipped:\n\n${reasons(skipped).join('\n')}`)
// Once more at the end: a log that is cut off keeps its end.
const failures = all.flatMap(({ failures }) => failures)
if (failures.length) console.log(`\nFailed:\n\n${failures.map((failure) => `✗ ${failure}`).join('\n\n')}`)
console.log(`\n${passed} passed, ${failed} failed${skipped.length ? `, ${skipped.length} skipped` : ''}`)
if (failed || isEmpty || isStopped) process.exitCode = 1
