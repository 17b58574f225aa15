import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeDigests, codeNames } from '../../../activities/runtime/code-digests.ts'
import { cacheDirectory } from '../../../host/cache.mjs'
import { answerOf, smallConfig, zeroshift, zeroshiftOf } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'

/**
 * The npm package in an empty directory. Of other packages it finds those that its package.json
 * names, and no more.
 */
const root = fileURLToPath(new URL('../../..', import.meta.url))
let directory: string
let installed: string
let bin: string

interface Description {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly bundleDependencies: readonly string[]
  readonly bin: { readonly zeroshift: string }
}
const description = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Description

beforeAll(() => {
  directory = fileDirectory()
  installed = join(directory, 'node_modules/zeroshift')
  bin = join(directory, 'node_modules/.bin')
  execute(process.execPath, [join(root, 'infra/make-package.mjs'), directory], root)
  mkdirSync(installed, { recursive: true })
  const archive = `zeroshift-${description(root).version}.tgz`
  execute('tar', ['xzf', archive, '-C', installed, '--strip-components=1'], directory)
  const { dependencies, bundleDependencies, bin: programs } = description(installed)
  for (const name of Object.keys(dependencies).filter((one) => !bundleDependencies.includes(one))) {
    const link = join(directory, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  mkdirSync(bin)
  symlinkSync(join(installed, programs.zeroshift), join(bin, 'zeroshift'))
  execute('chmod', ['-R', 'a-w', installed], directory)
}, 600_000)

afterAll(() => {
  spawnSync('chmod', ['-R', 'u+w', installed])
  const name = createHash('sha256').update(`${installed}/`).digest('hex').slice(0, 16)
  rmSync(join(cacheDirectory(), `checkout-${name}-native`), { recursive: true, force: true })
})

function execute(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** All files of the package with the times of their last changes. */
const contents = () => execute('find', ['.', '-type', 'f', '-printf', '%p %T@\n'], installed)

test('the digests of stage code are those of the checkout', async () => {
  const { digests } = JSON.parse(readFileSync(join(installed, 'built/code-digests.json'), 'utf8')) as {
    readonly digests: Readonly<Record<string, { readonly digest: string }>>
  }
  const ours = await codeDigests(codeNames)
  for (const name of codeNames) expect(digests[name]?.digest, name).toBe(ours.get(name)?.digest)
})

test('the page of zeroshift ui is built, and no file of it is missing', async () => {
  const { builtPage } = (await import(join(installed, 'infra/page.mjs'))) as {
    readonly builtPage: () => Promise<string>
  }
  const folder = await builtPage()
  expect(folder.startsWith(join(installed, 'built/page/'))).toBe(true)
  expect(readdirSync(folder).sort()).toEqual(
    ['charts.js', 'page.css', 'page.js']
      .flatMap((name) => [name, `${name}.br`, `${name}.gz`])
      .concat(['icon.svg', 'index.html'])
      .sort(),
  )
})

test('npm pack in the checkout is refused and names the command that makes the package', () => {
  const { status, stderr } = spawnSync('npm', ['pack', '--dry-run', '--ignore-scripts=false'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(status).not.toBe(0)
  expect(stderr).toContain('npm run package')
})

test('it has no tests, and neither tsx nor the installation of TensorFlow that tfjs-node makes', () => {
  expect(Object.keys(description(installed).dependencies)).not.toContain('tsx')
  const files = contents()
  expect(files).not.toMatch(/^\.\/(tests|docs|bench)\//m)
  expect(files).not.toContain('tfjs-node-gpu/scripts/')
})

test('a run of the package and one of the checkout share all stages, and nothing is written into the package', async () => {
  const before = contents()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  const run = await zeroshiftOf(bin, directory, 'run', 'small.yaml', '--json').ended
  expect(run, run.stderr).toMatchObject({ code: 0 })
  const { stages, id } = answerOf(run.stdout)
  expect(stages.computed).toBeGreaterThan(0)
  expect(contents()).toBe(before)

  const again = await zeroshift(directory, 'run', 'small.yaml', '--json').ended
  expect(answerOf(again.stdout)).toMatchObject({ id, stages: { computed: 0 } })
})

test('init, completion and the help work in the package', async () => {
  const made = await zeroshiftOf(bin, directory, 'init', 'first').ended
  expect(made, made.stderr).toMatchObject({ code: 0 })
  expect(readFileSync(join(directory, 'first.yaml'), 'utf8')).toContain(
    '$schema=node_modules/zeroshift/configs/schema.json',
  )
  expect((await zeroshiftOf(bin, directory, 'completion', 'bash').ended).stdout).toContain('_zeroshift()')
  expect((await zeroshiftOf(bin, directory, '--help').ended).stdout).toContain('Usage: zeroshift')
})

test('a program imports the library', () => {
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(
    join(directory, 'program.mjs'),
    `import { plan, readRun, run } from 'zeroshift'
const store = '.zeroshift/store'
const states = new Set()
const { id, results } = await run('small.yaml', {
  store,
  onProgress: ({ stages }) => stages.forEach(({ state }) => states.add(state)),
})
const { stages } = await plan('small.yaml', { store })
const read = await readRun(store, id)
console.log(JSON.stringify({
  labels: results.map(({ label }) => label),
  cached: stages.every(({ cached }) => cached),
  seen: states.has('computed') || states.has('cached'),
  manifests: read.stages.every(({ manifest }) => manifest !== undefined),
}))
`,
  )
  const output = execute(process.execPath, ['program.mjs'], directory)
  expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
    labels: expect.arrayContaining(['retrain', 'rfa']) as string[],
    cached: true,
    seen: true,
    manifests: true,
  })
})

test('TypeScript knows the types of the library', () => {
  writeFileSync(
    join(directory, 'program.mts'),
    `import { plan, type ExperimentConfig } from 'zeroshift'
const config: ExperimentConfig = {
  name: 'typed',
  data: { name: 'digits' },
  split: { kind: 'random', count: 10 },
  model: { name: 'mlp', hidden: [8] },
  training: { epochs: 1 },
  methods: [{ method: 'retrain' }],
}
const { id, stages } = await plan(config)
export const texts: readonly string[] = [id, ...stages.map(({ key }) => key)]
// @ts-expect-error An id is a text.
export const wrong: number = id
// @ts-expect-error There is no such data set.
export const elsewhere: ExperimentConfig = { ...config, data: { name: 'other' } }
// @ts-expect-error There is no such model.
export const larger: ExperimentConfig = { ...config, model: { name: 'other' } }
export const own: ExperimentConfig = { ...config, model: { name: './my-model.ts', width: 8 } }
// @ts-expect-error There is no such method.
export const other: ExperimentConfig = { ...config, methods: [{ method: 'other' }] }
`,
  )
  execute(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...[
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--target',
        'es2022',
        '--module',
        'nodenext',
        'program.mts',
      ],
    ],
    directory,
  )
})
