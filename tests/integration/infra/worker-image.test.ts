import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { presentClusterTools } from '../../../infra/cluster-tools.mjs'
import { FOLDERS } from '../../../infra/parts.mjs'
import { answerOf, smallConfig } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { temporalServer } from '../../support/temporal.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const dockerfile = join(root, 'infra/images/worker.Dockerfile')
const tools = presentClusterTools()

/** Whoever runs the tests, or nobody in the place of root, whom no permission stops. */
const isRoot = process.getuid?.() === 0
const user = isRoot ? { uid: 65_534, gid: 65_534 } : {}

describe('the build stage of the image, as a script in a clean directory', () => {
  let directory: string
  let app: string
  let server: Awaited<ReturnType<typeof temporalServer>>
  const workers: ChildProcess[] = []

  beforeAll(async () => {
    directory = fileDirectory()
    chmodSync(directory, 0o755)
    const target = join(directory, 'zeroshift')
    app = join(target, 'app')
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'infra/images/build-worker.mjs'), target],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(stdout + stderr)
    // As the root file system of a pod.
    spawnSync('chmod', ['-R', 'a+rX,a-w', target])
    server = await temporalServer()
  }, 600_000)
  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL')
    await server.stop()
    spawnSync('chmod', ['-R', 'u+w', directory])
  })

  /** A directory that the processes may write to. */
  function own(name: string): string {
    const path = join(directory, name)
    mkdirSync(path)
    if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
    return path
  }

  /** A process of what was built, with an environment as bare as a container's. */
  function start(home: string, ...args: readonly string[]) {
    const child = spawn(join(app, 'zeroshift'), args, {
      // Where a relative path would lead into the image.
      cwd: app,
      ...user,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        TMPDIR: home,
        NODE_ENV: 'production',
        ZEROSHIFT_CACHE: join(home, 'cache'),
        TEMPORAL_ADDRESS: server.address,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (data: Buffer) => (text[name] += data.toString()))
    const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, ...text }))
    return { child, ended, text }
  }

  test('has no packages for development, and leads to no library outside', () => {
    const modules = readdirSync(join(app, 'node_modules'))
    expect(modules).toContain('@tensorflow')
    expect(modules).not.toContain('vitest')
    expect(modules).not.toContain('typescript')
    const { stdout } = spawnSync('find', [app, '-type', 'l', '-lname', '/*'], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  test('a worker from it serves a whole run, and neither it nor the command may write into it', async () => {
    const scratch = own('worker')
    const store = own('store')
    const { child, ended, text } = start(scratch, 'worker')
    workers.push(child)
    const client = own('client')
    const config = join(client, 'small.yaml')
    writeFileSync(config, smallConfig)
    const run = await start(client, 'run', config, '--store', store, '--json').ended
    expect(run, run.stderr).toMatchObject({ code: 0 })
    expect(answerOf(run.stdout)).toMatchObject({ status: 'completed' })
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect(text.stderr).not.toMatch(/EACCES|EROFS|EPERM/)
    // The bundle of workflows came with it.
    expect(existsSync(join(scratch, 'cache/workflows'))).toBe(false)
  })
})

describe('worker.Dockerfile', () => {
  const text = readFileSync(dockerfile, 'utf8')

  test.skipIf(!tools)(
    `has nothing that hadolint objects to${tools ? '' : ' (skipped without it: node infra/bootstrap.mjs --with-cluster-tools)'}`,
    () => {
      const { status, stdout } = spawnSync(tools?.hadolint ?? '', ['--no-color', dockerfile], {
        encoding: 'utf8',
      })
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    },
  )

  test('builds from one base, pinned by digest, and ends as a user who is not root', () => {
    expect(text).toMatch(/^ARG NODE=node:[\w.-]+@sha256:[0-9a-f]{64}$/m)
    const bases = [...text.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)]
    const stages = new Set(bases.map(([, , name]) => name))
    for (const [, base] of bases) expect(base === '${NODE}' || stages.has(base)).toBe(true)
    const users = [...text.matchAll(/^USER (\S+)$/gm)].map(([, user]) => user)
    expect(users).toEqual(['1000:1000'])
  })

  test('sends the build what the script copies, and no more', () => {
    const sent = readFileSync(`${dockerfile}.dockerignore`, 'utf8').matchAll(/^!(.+)$/gm)
    const script = readFileSync(join(root, 'infra/images/build-worker.mjs'), 'utf8')
    const [, list = ''] = /FILES = \[(.*)\]\n/.exec(script) ?? []
    const files = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name)
    expect([...sent].map(([, name]) => name).sort()).toEqual([...files, ...FOLDERS, 'infra'].sort())
  })
})
