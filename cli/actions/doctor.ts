import { spawnSync } from 'node:child_process'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import type { Settings } from '../../experiment/spec/settings.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { isNativeReady } from '../../infra/native.mjs'
import { findCompiler, findPython } from '../../infra/programs.mjs'
import { presentTemporal } from '../../infra/temporal.mjs'
import { deviceNamed, type Device } from '../../learning/tensorflow/device.ts'
import { deviceChecks } from '../doctor/check-device.ts'
import { storeChecks } from '../doctor/check-store.ts'
import { serverChecks } from '../doctor/check-server.ts'
import { checked, type Check, type Checked } from '../doctor/doctor-check.ts'
import { storeFor, trackingHere } from '../workspace/workspace.ts'
import { prepare } from '../launch/prepare.ts'
import { readConfig } from '../launch/read-config.ts'
import { runSettings } from '../launch/run-settings.ts'
import { coloursOf, printJson, printTo } from '../output/print.ts'

interface DoctorOptions {
  readonly device?: string
  readonly json?: boolean
  readonly store?: string
  readonly temporal?: string
}

/** `zeroshift doctor [CONFIG]`: returns 1 if something that Zeroshift needs is missing. */
export async function doctor(config: string | undefined, options: DoctorOptions): Promise<number> {
  const { device = process.env.ZEROSHIFT_DEVICE, json = false, store, temporal } = options
  const out = json ? process.stderr : process.stdout
  const computing = deviceNamed(device, options.device === undefined ? undefined : '--device')
  const checks = [
    ...machine(computing),
    ...serverChecks(temporal),
    ...(await storeAndDataChecks(config, store)),
  ]
  const results: Checked[] = []
  for (const check of checks) {
    const result = await checked(check)
    results.push(result)
    for (const line of linesOf(result, out)) printTo(out, line)
  }
  const isHealthy = results.every(({ state }) => state !== 'failed')
  if (json) printJson({ status: isHealthy ? 'healthy' : 'unhealthy', checks: results })
  return isHealthy ? 0 : 1
}

function linesOf({ name, state, found, remedy }: Checked, out: NodeJS.WriteStream): readonly string[] {
  const { green, red, yellow } = coloursOf(out)
  const mark = { ok: green('✓'), warning: yellow('!'), failed: red('✗') }[state]
  return [
    `${mark} ${name.padEnd(10)} ${oneLine(found)}`,
    ...(remedy === undefined ? [] : [`  ${''.padEnd(10)} ${remedy}`]),
  ]
}

function machine(device: Device): readonly Check[] {
  // Python and the compiler build the native library and are not used once it exists.
  const toBuild = !isNativeReady({ gpu: device === 'gpu' })
  const bootstrap = 'Run `./zeroshift setup`; it says what it lacks.'
  return [
    {
      name: 'Node',
      needed: true,
      remedy: 'Install Node 20.18.1 or newer: https://nodejs.org',
      perform: () => {
        const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
        if (major < 20 || (major === 20 && minor < 18)) throw new Error(`${process.version} is too old`)
        return `${process.version} at ${process.execPath}`
      },
    },
    {
      name: 'Python',
      needed: toBuild,
      remedy: 'Install Python 3.10 or newer: https://python.org',
      perform: () => findPython(),
    },
    {
      name: 'compiler',
      needed: toBuild,
      remedy: 'Install a C++ compiler and make: build-essential on Debian and Ubuntu, Xcode tools on macOS.',
      perform: () => {
        const { CXX = 'c++' } = { ...process.env, ...findCompiler() }
        return CXX
      },
    },
    ...deviceChecks(device),
    {
      name: 'Temporal',
      needed: true,
      remedy: bootstrap,
      perform: () => {
        const path = presentTemporal()
        if (path === undefined) throw new Error('no `temporal` command with a dev server was found')
        const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' })
        if (status !== 0) throw new Error(`${path} does not run`)
        return `${stdout.trim()} at ${path}`
      },
    },
  ]
}

/** Returns the checks of the store, the data and the tracking server. */
async function storeAndDataChecks(
  config: string | undefined,
  store: string | undefined,
): Promise<readonly Check[]> {
  if (config === undefined) {
    const digits = async () => {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { inspectDataset } = await import('../../datasets/index.ts')
      const spec = specSchema.shape.data.parse({ name: 'digits' })
      return inspectDataset(spec, await findDataDirectory(spec, {}))
    }
    return [...storeChecks(storeFor(store)), dataCheck(digits), trackingCheck(trackingHere())]
  }
  const source = { config, overrides: [], store }
  const parsed = await readConfig(source)
  const settings = runSettings(source, parsed)
  return [
    ...storeChecks(settings.store),
    dataCheck(async () => (await prepare(source, parsed)).run.facts),
    trackingCheck(settings.tracking),
  ]
}

function dataCheck(factsOf: () => Promise<DatasetFacts>): Check {
  return {
    name: 'data',
    needed: true,
    remedy: 'Give `dataDirectory` in the config, or ZEROSHIFT_DATA, the directory that holds the files.',
    perform: async () => {
      const { name, train, test } = await factsOf()
      return `${name}: ${[...train, ...test].reduce((sum, count) => sum + count, 0)} samples`
    },
  }
}

function trackingCheck(tracking: Settings['tracking']): Check {
  return {
    name: 'MLflow',
    needed: false,
    remedy:
      'Start the server, or correct `tracking.uri` and its credentials; runs go on without it, and `./zeroshift track ID` sends it the rest later.',
    perform: async () => {
      if (!tracking) return 'not configured'
      const { tryTracking } = await import('../doctor/try-tracking.ts')
      return `${await tryTracking(tracking)}: run, batch, delete`
    },
  }
}
