import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { isAlive } from '../../../host/alive.mjs'
import { zeroshiftWith, type Running } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { until } from '../../support/durable.ts'

/**
 * Workers that wait for a server which does not exist, while native code in their processes writes
 * to standard error.
 */
const nowhere = '127.0.0.1:1'
const native = 'I0000 00:00:1.5 1 port.cc:153] native words'
let directory: string
let env: NodeJS.ProcessEnv
beforeAll(() => {
  directory = fileDirectory()
  const noise = join(directory, 'noise.mjs')
  writeFileSync(
    noise,
    `import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (process.send && isMainThread) {
  const write = () => writeSync(2, ${JSON.stringify(`${native}\nhalf a line`)})
  // A worker with a parent has no log until it says so.
  if (process.env.ZEROSHIFT_LOG_PARENT) process.on('message', write).channel.unref()
  else write()
}
`,
  )
  env = { NODE_OPTIONS: `--import=${pathToFileURL(noise).href}`, ZEROSHIFT_LOG: 'info' }
})

interface Line {
  readonly level: string
  readonly msg: string
  readonly pid: number
}
const linesOf = (log: string) =>
  log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

async function waiting(given: NodeJS.ProcessEnv = {}): Promise<Running> {
  const worker = zeroshiftWith({ ...env, ...given }, directory, 'worker', '--temporal', nowhere)
  await worker.says('connecting to Temporal')
  return worker
}

test('what native code writes is a line of JSON, and a signal ends the worker', async () => {
  const { child, ended } = await waiting()
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(143)
  const [line, half] = linesOf(stderr)
  expect(line).toMatchObject({ level: 'info', msg: native })
  expect(half).toMatchObject({ level: 'warn', msg: expect.stringMatching(/^half a line/) as string })
  expect(line?.pid).not.toBe(child.pid)
})

test('a mistake in its options is told as text', async () => {
  const { code, stderr } = await zeroshiftWith(env, directory, 'worker', '--queue', 'nothing').ended
  expect(code).toBe(2)
  expect(stderr).toMatch(/^--queue: there is no queue 'nothing'/)
})

test.each([
  ['ZEROSHIFT_LOG', 'loud'],
  ['ZEROSHIFT_LOG_FORMAT', 'xml'],
])('a mistake in %s is told as text', async (name, value) => {
  const { code, stderr } = await zeroshiftWith({ ...env, [name]: value }, directory, 'worker').ended
  expect(code).toBe(2)
  expect(stderr).toMatch(new RegExp(`^${name} is '${value}'; expected one of `))
})

test('a worker whose parent is killed ends', async () => {
  const worker = await waiting()
  await worker.says('native words')
  const { child } = worker
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
  const pid = Number(stdout)
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await until('the end of the worker', () => !isAlive(pid))
})

test('a log of text is written by the worker itself', async () => {
  const { child, ended } = await waiting({ ZEROSHIFT_LOG_FORMAT: 'text' })
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBeNull()
  expect(stderr).not.toContain('native words')
})

test("the log of a stack's worker is JSON, too", async () => {
  const log = join(directory, 'worker.log')
  const script = `
    const { spawnWorker } = await import(${JSON.stringify(new URL('../../../stack/spawn-worker.ts', import.meta.url).href)})
    const worker = spawnWorker([${JSON.stringify(nowhere)}], ${JSON.stringify(log)})
    process.stdin.resume().once('end', () => worker.kill('SIGKILL'))`
  const stack = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  const ended = once(stack, 'exit')
  await until('its log', () => existsSync(log) && readFileSync(log, 'utf8').includes('native words'))
  stack.stdin.end()
  expect(await ended).toEqual([0, null])
  expect(linesOf(readFileSync(log, 'utf8')).map(({ msg }) => msg)).toEqual([native, 'half a line'])
})
