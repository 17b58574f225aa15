import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { answerOf, smallConfig, zeroshiftWith } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { sharedStack } from '../support/shared-stack.ts'

/**
 * A run whose stages are all in the store is answered without Temporal, a worker and TensorFlow,
 * and leaves the same results as the workflow.
 */
const stack = sharedStack()
let directory: string
let store: string
beforeAll(async () => {
  directory = fileDirectory()
  store = join(directory, '.zeroshift', 'store')
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  const { code, stdout, stderr } = await stack.here(directory, 'run', 'small.yaml', '--json')
  expect(code, stderr).toBe(0)
  expect(answerOf(stdout).stages.cached).toBe(0)
})

const run = (env: NodeJS.ProcessEnv) => zeroshiftWith(env, directory, 'run', 'small.yaml', '--json').ended

/** The workflow executes the run, since the places of the worker are restricted. */
const byWorkflow = { ZEROSHIFT_ALLOWED_STORES: '/', ZEROSHIFT_ALLOWED_SOURCES: '/' }

/** The files of the store with their contents. */
function files(): ReadonlyMap<string, string> {
  const paths = readdirSync(store, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(
    paths
      .filter((path) => statSync(join(store, path)).isFile())
      .map((path) => [path, readFileSync(join(store, path), 'latin1')]),
  )
}

/** Removes what servers and workers leave in the directory of the command. */
function removeTraces(): void {
  for (const name of traces()) rmSync(join(directory, '.zeroshift', name))
}
const traces = () => readdirSync(join(directory, '.zeroshift')).filter((name) => name !== 'store')

/**
 * Runs the command, in which every process of Node notes at its end which libraries it has loaded.
 */
async function observed(env: NodeJS.ProcessEnv) {
  const notes = join(directory, 'processes')
  const script = `import { appendFileSync } from 'node:fs'
process.on('exit', () => {
  const { sharedObjects } = process.report.getReport()
  appendFileSync(${JSON.stringify(notes)}, JSON.stringify(sharedObjects) + '\\n')
})`
  const hook = join(directory, 'observe.mjs')
  writeFileSync(hook, script)
  rmSync(notes, { force: true })
  removeTraces()
  const ended = await run({ ...env, NODE_OPTIONS: `--import=${hook}` })
  const processes = existsSync(notes) ? readFileSync(notes, 'utf8').trimEnd().split('\n') : []
  return { ...ended, processes, traces: traces() }
}

/** What `--json` prints, and the lines for people, without the time that the command took. */
function said({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) {
  const { seconds: _, ...answer } = answerOf(stdout)
  return { answer, lines: stderr.replace(/[\d.]+ (s|min) in all/, 'in all') }
}

describe.each([
  ['that has finished before', () => undefined],
  ['of which another run computed the stages', () => rmSync(join(store, 'runs'), { recursive: true })],
])('a run %s', (_, prepare) => {
  test('starts no server, no worker and no TensorFlow, and gives what the workflow gives', async () => {
    prepare()
    const answered = await observed({})
    const left = files()
    prepare()
    const executed = await observed(byWorkflow)

    expect(answered.processes).toHaveLength(1)
    expect(answered.processes.join()).not.toMatch(/tensorflow/)
    expect(answered.traces).toEqual([])
    // The worker is observed in the same way.
    expect(executed.processes.length).toBeGreaterThan(1)
    expect(executed.traces).toEqual(expect.arrayContaining(['temporal.log', 'worker.log']))

    expect(answered.code).toBe(0)
    expect(answered.code).toBe(executed.code)
    expect(said(answered)).toEqual(said(executed))
    expect(files()).toEqual(left)
    expect(said(answered).answer.stages.computed).toBe(0)
  })
})
