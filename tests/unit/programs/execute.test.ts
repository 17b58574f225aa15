import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { isAlive } from '../../../host/alive.mjs'
import { taskDirectory, writeTaskDirectory } from '../../../programs/task-directory.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { tryProgram } from '../../support/programs.ts'
import { trainTask } from '../../support/tasks.ts'

const IMPORTS = `
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { checkpoint, output, say, task } from './files.mjs'
`
const forever = 'setInterval(() => {}, 1000)'

/** Waits until a process of Linux has ended. One that nobody waited for counts as ended. */
const untilEnded = (pid: number) =>
  vi.waitFor(() => {
    expect(isRunning(pid)).toBe(false)
  }, 20_000)

function isRunning(pid: number): boolean {
  if (!isAlive(pid)) return false
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // Without /proc, or because it has just ended.
    return isAlive(pid)
  }
}

test('progress and other lines are told apart', async () => {
  const { done, lines, logged } = await tryProgram(`${IMPORTS}
    console.log('reading\\rtraining\\n')
    say({ step: 1, steps: 2, loss: 0.5, note: 'ignored' })
    say({ level: 'info', message: 'of a library' })
    console.log("{'loss': 0.5}")
    console.error('{"step": 7}')
    process.stdout.write('{"step": 2}')`)
  const { seconds, peakMemoryBytes } = await done
  expect(lines).toEqual([{ step: 1, steps: 2, loss: 0.5 }, { step: 2 }])
  expect([...logged].sort()).toEqual(
    [
      'reading',
      'training',
      '{"level":"info","message":"of a library"}',
      "{'loss': 0.5}",
      '{"step": 7}',
    ].sort(),
  )
  expect(seconds).toBeGreaterThan(0)
  expect(peakMemoryBytes).toBeGreaterThanOrEqual(0)
})

test('a program gets no other variables than those that are named', async () => {
  vi.stubEnv('MY_SETTING', 'given')
  vi.stubEnv('OTHER_SETTING', 'not given')
  const { done, lines, directory } = await tryProgram(
    `${IMPORTS} say({ step: 0 }); console.error(JSON.stringify(process.env)); process.exitCode = 1`,
    { variables: ['MY_SETTING', 'NOT_SET'] },
  )
  const { message } = await errorOf(done)
  const { home, temporary, taskFile } = taskDirectory(directory)
  const {
    PWD: _pwd,
    OLDPWD: _old,
    SHLVL: _level,
    _: _last,
    ...found
  } = JSON.parse(message.slice(message.indexOf('{'))) as NodeJS.ProcessEnv
  expect(lines).toEqual([{ step: 0 }])
  expect(found).toEqual({
    PATH: process.env.PATH,
    MY_SETTING: 'given',
    HOME: home,
    TMPDIR: temporary,
    ZEROSHIFT_TASK: taskFile,
    CUDA_VISIBLE_DEVICES: '',
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONHASHSEED: '0',
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    MKL_NUM_THREADS: '1',
    NUMEXPR_NUM_THREADS: '1',
    VECLIB_MAXIMUM_THREADS: '1',
  })
})

test('the latest checkpoint stays during a tick, and earlier ones are removed after it', async () => {
  let tick = (_: string | undefined) => Promise.resolve()
  const { done, directory } = await tryProgram(
    `${IMPORTS}
    writeFileSync(checkpoint('step-1'), 'a')
    say({ checkpoint: 'step-1' })
    mkdirSync(checkpoint('step-2'))
    writeFileSync(checkpoint('step-2/state'), 'b')
    say({ checkpoint: 'step-2' })
    writeFileSync(checkpoint('unfinished'), 'c')
    const timer = setInterval(() => existsSync(output('go')) && clearInterval(timer), 10)`,
    { tick: (checkpoint) => tick(checkpoint) },
  )
  const { checkpoints, output } = taskDirectory(directory)
  const seen: string[] = []
  tick = (checkpoint) => {
    if (checkpoint !== undefined) {
      expect(readdirSync(checkpoints)).toContain(checkpoint)
      seen.push(checkpoint)
    }
    if (seen.filter((name) => name === 'step-2').length === 2) writeFileSync(join(output, 'go'), '')
    return Promise.resolve()
  }
  await done
  expect(seen.at(-1)).toBe('step-2')
  expect(readdirSync(checkpoints).sort()).toEqual(['step-2', 'unfinished'])
})

test('a program is stopped with its error if a tick throws, and may save a last checkpoint', async () => {
  const stop = new Error('the attempt ends')
  let started = false
  const { done, lines } = await tryProgram(
    `${IMPORTS}
    const timer = ${forever}
    process.on('SIGTERM', () => {
      writeFileSync(checkpoint('last'), 'a')
      say({ step: 7, checkpoint: 'last' })
      process.exitCode = 1
      clearInterval(timer)
    })
    console.error('ready')`,
    {
      limits: { graceSeconds: 60 },
      log: () => (started = true),
      tick: () => (started ? Promise.reject(stop) : Promise.resolve()),
    },
  )
  expect(await errorOf(done)).toBe(stop)
  expect(lines).toEqual([{ step: 7, checkpoint: 'last' }])
})

test('a program that ignores SIGTERM is killed after the grace period, with its children', async () => {
  const stop = new Error('the attempt ends')
  const { done, lines } = await tryProgram(
    `${IMPORTS}
    const ignoring = "process.on('SIGTERM', () => {}); console.error('ready'); ${forever}"
    const child = spawn(process.execPath, ['-e', ignoring], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.once('data', () => say({ step: process.pid, metrics: { child: child.pid } }))
    process.on('SIGTERM', () => {})
    ${forever}`,
    {
      limits: { graceSeconds: 0.2 },
      tick: () => (lines.length > 0 ? Promise.reject(stop) : Promise.resolve()),
    },
  )
  expect(await errorOf(done)).toBe(stop)
  for (const pid of [lines[0]?.step ?? 0, lines[0]?.metrics?.child ?? 0]) {
    expect(pid).toBeGreaterThan(0)
    await untilEnded(pid)
  }
})

test.each([
  ['in the group of the program', false],
  ['in a session of its own', true],
])('a child %s does not survive the program', async (_, detached) => {
  const { done, lines } = await tryProgram(`${IMPORTS}
    const child = spawn(process.execPath, ['-e', 'console.log(1); ${forever}'], { detached: ${detached}, stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => {
      say({ metrics: { child: child.pid } })
      child.unref()
      child.stdout.destroy()
    })`)
  await done
  const child = lines[0]?.metrics?.child ?? 0
  expect(child).toBeGreaterThan(0)
  await untilEnded(child)
})

test('an error of the caller ends the program', async () => {
  const wrong = new TypeError('no such curve')
  const { done } = await tryProgram(`${IMPORTS} say({ step: 1 }); ${forever}`, {
    onLine: () => {
      throw wrong
    },
  })
  expect(await errorOf(done)).toBe(wrong)
})

test('a program ends with the process that executes it, even by SIGKILL', async () => {
  const directory = testDirectory()
  const program = `console.log(JSON.stringify({ step: process.pid })); ${forever}`
  await writeTaskDirectory(directory, trainTask({ 'program.mjs': program }))
  const script = `
    import { execute } from './programs/execute.ts'
    import { defaultLimits } from './programs/usage-limits.ts'
    await execute({
      command: "'" + process.execPath + "' program.mjs", directory: process.argv[1], variables: [],
      limits: defaultLimits, device: 'cpu', threads: 1, log() {}, tick: async () => undefined,
      onLine: ({ step }) => console.log(step),
    })`
  const worker = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [data] = (await once(worker.stdout, 'data')) as [Buffer]
  const pid = Number(data.toString())
  expect(isRunning(pid)).toBe(true)
  worker.kill('SIGKILL')
  await untilEnded(pid)
})
