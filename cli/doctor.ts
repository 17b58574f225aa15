import { spawnSync } from 'node:child_process'
import { openStore } from '../artifacts/store.ts'
import { digestOf } from '../experiment/canonical.ts'
import type { DatasetFacts } from '../experiment/dataset.ts'
import type { Environment } from '../experiment/manifest.ts'
import { specSchema, type Settings } from '../experiment/spec.ts'
import { isNativeReady } from '../infra/native.mjs'
import { findCompiler, findPython } from '../infra/programs.mjs'
import { presentTemporal } from '../infra/temporal.mjs'
import { prepare, readConfig, settingsOf } from './prepare.ts'
import { storeFor } from './place.ts'
import { coloursOf, whereOf } from './print.ts'

export interface DoctorOptions {
  readonly store?: string
}

interface Check {
  readonly name: string
  /** Answers what was found, or throws with what is wrong. */
  readonly look: () => string | Promise<string>
  readonly remedy: string
  /** False: Zeroshift runs without it. */
  readonly needed: boolean
}

/** `zeroshift doctor [CONFIG]`: 1 where something needed is missing. */
export async function doctor(config: string | undefined, { store }: DoctorOptions): Promise<number> {
  const { green, red, yellow } = coloursOf(process.stdout)
  const checks = [...machine(), ...(await place(config, store))]
  let code = 0
  for (const { name, look, remedy, needed } of checks) {
    const label = name.padEnd(10)
    try {
      console.log(`${green('✓')} ${label} ${await look()}`)
    } catch (error) {
      console.log(
        `${needed ? red('✗') : yellow('!')} ${label} ${error instanceof Error ? error.message : String(error)}`,
      )
      console.log(`  ${''.padEnd(10)} ${remedy}`)
      if (needed) code = 1
    }
  }
  return code
}

function machine(): Check[] {
  // They build the native library; once it is there, nothing asks for them.
  const toBuild = !isNativeReady()
  const bootstrap = 'Run `node infra/bootstrap.mjs` in the project; it says what it lacks.'
  return [
    {
      name: 'Node',
      needed: true,
      remedy: 'Install Node 20.18.1 or newer: https://nodejs.org',
      look: () => {
        const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
        if (major < 20 || (major === 20 && minor < 18)) throw new Error(`${process.version} is too old`)
        return `${process.version} at ${process.execPath}`
      },
    },
    {
      name: 'Python',
      needed: toBuild,
      remedy: 'Install Python 3.10 or newer: https://python.org',
      look: () => findPython(),
    },
    {
      name: 'compiler',
      needed: toBuild,
      remedy: 'Install a C++ compiler and make: build-essential on Debian and Ubuntu, Xcode tools on macOS.',
      look: () => {
        const { CXX = 'c++' } = { ...process.env, ...findCompiler() }
        return CXX
      },
    },
    {
      name: 'TensorFlow',
      needed: true,
      remedy: bootstrap,
      look: tensorflow,
    },
    {
      name: 'Temporal',
      needed: true,
      remedy: bootstrap,
      look: () => {
        const path = presentTemporal()
        if (path === undefined) throw new Error('no `temporal` command with a dev server was found')
        const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' })
        if (status !== 0) throw new Error(`${path} does not run`)
        return `${stdout.trim()} at ${path}`
      },
    },
  ]
}

/** In a process of its own: the library writes start-up notes to standard error that no setting of its own silences. */
function tensorflow(): string {
  const url = new URL('../learning/tf.ts', import.meta.url).href
  const script = `const { tensorflowEnvironment } = await import('${url}'); console.log(JSON.stringify(tensorflowEnvironment()))`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(/^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim())
  const { version, device, threads } = JSON.parse(stdout) as NonNullable<Environment['tensorflow']>
  return `${version} on ${device}, ${threads} threads an operation`
}

/** What depends on where results and data are. */
async function place(config: string | undefined, store: string | undefined): Promise<Check[]> {
  if (config === undefined) {
    const digits = async () => {
      const { findDataDirectory } = await import('../activities/data-directory.ts')
      const { inspectDataset } = await import('../learning/datasets/index.ts')
      const spec = specSchema.shape.data.parse({ name: 'digits' })
      return inspectDataset(spec, await findDataDirectory(spec, {}))
    }
    return [storeCheck(storeFor(store)), dataCheck(digits), trackingCheck(undefined)]
  }
  const asked = { config, overrides: [], store }
  const parsed = await readConfig(asked)
  const settings = settingsOf(asked, parsed)
  return [
    storeCheck(settings.store),
    dataCheck(async () => (await prepare(asked, parsed)).run.facts),
    trackingCheck(settings.tracking),
  ]
}

function dataCheck(factsOf: () => Promise<DatasetFacts>): Check {
  return {
    name: 'data',
    needed: true,
    remedy: 'Give `dataDirectory` in the config, or ZEROSHIFT_DATA, the directory that holds the files.',
    look: async () => {
      const { name, train, test } = await factsOf()
      return `${name}: ${[...train, ...test].reduce((sum, count) => sum + count, 0)} samples`
    },
  }
}

function storeCheck(url: string): Check {
  return {
    name: 'store',
    needed: true,
    remedy: 'Name a directory that can be written to: --store DIRECTORY, or ZEROSHIFT_STORE.',
    look: async () => {
      const store = openStore(url)
      const path = `doctor/${digestOf({ pid: process.pid, now: Date.now() })}`
      const written = new TextEncoder().encode('doctor')
      try {
        if (!(await store.putIfAbsent(path, written))) throw new Error('a first write was refused')
        if (await store.putIfAbsent(path, written))
          throw new Error('a second write of one name went through: conditional puts do not work here')
        const read = await store.get(path)
        if (!read || Buffer.compare(read, written) !== 0)
          throw new Error('what was read is not what was written')
      } finally {
        await store.delete(path)
      }
      return whereOf(url)
    },
  }
}

function trackingCheck(tracking: Settings['tracking']): Check {
  return {
    name: 'MLflow',
    needed: false,
    remedy: 'Start the server, or correct `tracking.uri`; runs go on without it.',
    look: async () => {
      if (!tracking) return 'not configured'
      const url = new URL('health', `${tracking.uri.replace(/\/$/, '')}/`)
      const { status } = await fetch(url, { signal: AbortSignal.timeout(5_000) })
      if (status !== 200) throw new Error(`${url.href} answers ${status}`)
      return tracking.uri
    },
  }
}
