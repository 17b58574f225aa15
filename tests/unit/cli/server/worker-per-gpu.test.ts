import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { workersFor, runMembers } from '../../../../cli/server/worker-per-gpu.ts'
import { testDirectory } from '../../../support/directories.ts'

describe('a worker for each GPU', () => {
  test('has its GPU and all other options; ports and ready files count up', () => {
    const options = {
      ...{ gpus: '0, 2', queue: ['zeroshift-train'], device: 'gpu', exitWhenIdle: '60' },
      ...{ metricsPort: '9464', readyFile: '/tmp/ready', allowSource: ['s3://a', 's3://b'] },
      allowExternal: true as const,
    }
    const shared = ['--queue=zeroshift-train', '--device=gpu', '--exit-when-idle=60']
    const allowed = ['--allow-source=s3://a', '--allow-source=s3://b', '--allow-external']
    const [first, second, ...rest] = workersFor('0, 2', 'gpu', options, {})
    expect(rest).toEqual([])
    expect(first?.args[0]).toBe('worker')
    expect(first?.args.slice(1).toSorted()).toEqual(
      [...shared, ...allowed, '--gpu=0', '--metrics-port=9464', '--ready-file=/tmp/ready.0'].toSorted(),
    )
    expect(second?.args.slice(1).toSorted()).toEqual(
      [...shared, ...allowed, '--gpu=2', '--metrics-port=9465', '--ready-file=/tmp/ready.1'].toSorted(),
    )
    expect(second?.name).toBe('the worker of GPU 2')
  })

  test('is counted among those that the command may see', () => {
    const env = { CUDA_VISIBLE_DEVICES: '4,5' }
    expect(workersFor('0,1', 'gpu', {}, env)).toHaveLength(2)
    expect(() => workersFor('0,4', 'gpu', {}, env)).toThrow("--gpus: found '4'; expected one from 0 to 1")
  })

  test.each([
    ['0,first', {}, "--gpus: found 'first'; expected a number as nvidia-smi counts them"],
    ['0,,1', {}, "--gpus: found ''"],
    ['', {}, "--gpus: found ''"],
    ['1,0,1', {}, "--gpus: found GPU 1 twice in '1,0,1'"],
    ['1,01', {}, 'twice'],
    ['0,1', { gpu: '0' }, '--gpus: found with --gpu'],
    [
      '0,1',
      { metricsPort: '65535' },
      "--metrics-port: expected a whole number from 1 to 65534, found '65535'",
    ],
    ['0,1', { metricsPort: 'http' }, "found 'http'"],
  ])('is asked for by numbers that make sense: not %j with %j', (gpus, options, said) => {
    expect(() => workersFor(gpus, 'gpu', options, {})).toThrow(said)
  })

  test('is refused on the CPU', () => {
    expect(() => workersFor('0,1', 'cpu', {}, {})).toThrow(
      '--gpus 0,1: this worker computes on the CPU; expected --device gpu with it',
    )
  })
})

describe('processes that work as one', () => {
  let directory: string
  let module: string
  beforeEach(() => {
    directory = testDirectory()
    module = join(directory, 'member.mjs')
    writeFileSync(
      module,
      `import { writeFileSync } from 'node:fs'
const [what, file] = process.argv.slice(2)
process.on('message', (word) => {
  writeFileSync(file, word)
  process.exit(0)
})
if (what === 'waits') setInterval(() => undefined, 1000)
else if (what === 'dies') process.kill(process.pid, 'SIGKILL')
else process.exit(Number(what))
`,
    )
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  const member = (what: string) => ({ name: what, args: [what, join(directory, what)] })

  test.each([
    ['3', 3, 'exit code 3'],
    ['dies', 137, 'SIGKILL'],
  ])('end in order when one fails, with its exit code: %s', async (what, code, how) => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(await runMembers(module, [member('waits'), member(what)])).toBe(code)
    expect(said.mock.calls).toEqual([[`${what} ended on its own (${how}); the others end now\n`]])
    expect(existsSync(join(directory, 'waits'))).toBe(true)
  })

  test('go on when one has nothing more to do', async () => {
    expect(await runMembers(module, [member('0'), member('0')])).toBe(0)
    const listeners = process.listenerCount('SIGTERM')
    const all = runMembers(module, [member('0'), member('waits')])
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(existsSync(join(directory, 'waits'))).toBe(false)
    process.emit('SIGTERM')
    expect(await all).toBe(0)
    expect(existsSync(join(directory, 'waits'))).toBe(true)
    expect(process.listenerCount('SIGTERM')).toBe(listeners)
  })
})
