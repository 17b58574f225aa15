import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Checked } from '../../../../cli/doctor/doctor-check.ts'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import { driverProblem } from '../../../../host/gpu.mjs'
import { smallConfig, zeroshiftWith } from '../../../support/command.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { mlflowServer, type TestMlflow } from '../../../support/mlflow.ts'
import { forFile } from '../../../support/release.ts'
import { s3Server, type TestS3 } from '../../../support/s3.ts'
import { temporalServer, type TestTemporal } from '../../../support/temporal.ts'

let directory: string
let temporal: TestTemporal
let s3: TestS3
let mlflow: TestMlflow
beforeAll(async () => {
  directory = fileDirectory()
  ;[temporal, s3, mlflow] = await Promise.all([
    forFile(temporalServer()),
    forFile(s3Server()),
    forFile(mlflowServer()),
  ])
})

/** A config of an experiment that is tracked on a server. */
function configFor(uri: string): string {
  const path = join(directory, 'experiment.yaml')
  writeFileSync(path, `${smallConfig}\ntracking: { uri: '${uri}' }\n`)
  return path
}

async function doctor(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  const { code, stdout, stderr } = await zeroshiftWith(env, directory, 'doctor', ...args, '--json').ended
  const { status, checks } = JSON.parse(stdout) as { status: string; checks: readonly Checked[] }
  const of = (name: string) => checks.find((check) => check.name === name)
  return { code, status, names: checks.map(({ name }) => name), of, stderr }
}

test('all that a run on other machines needs is tried on real servers, and nothing is left there', async () => {
  const { code, status, names, of, stderr } = await doctor(
    s3.env,
    ...[configFor(mlflow.url), '--temporal', temporal.address, '--store', `s3://${s3.bucket}/results`],
  )
  expect(names).toEqual([
    ...['Node', 'Python', 'compiler', 'TensorFlow', 'device', 'Temporal'],
    ...['server', 'workers', 'store', 'clock', 'disk', 'data', 'MLflow'],
  ])
  expect({ code, status }).toEqual({ code: 0, status: 'healthy' })
  expect(of('TensorFlow')?.found).toMatch(/^2\.21\.0/)
  expect(of('device')?.found).toMatch(/GB of memory, \d+ threads? an operation$/)
  expect(of('server')).toMatchObject({
    state: 'ok',
    found: expect.stringContaining(temporal.address) as string,
  })
  expect(of('workers')).toMatchObject({
    ...{ state: 'warning', found: '0 for zeroshift, 0 for zeroshift-train' },
    remedy: expect.stringContaining('./zeroshift worker') as string,
  })
  expect(of('store')).toEqual({
    ...{ name: 'store', state: 'ok' },
    found: `s3://${s3.bucket}/results: write, read, conditional put, delete`,
  })
  expect(of('clock')).toMatchObject({ state: 'ok' })
  expect(of('MLflow')).toMatchObject({ state: 'ok', found: `${mlflow.url}: run, batch, delete` })
  // People read the same on standard error.
  expect(stderr).toContain('✓ store')

  Object.assign(process.env, s3.env)
  expect(await openStore(`s3://${s3.bucket}`).list('')).toEqual([])
  const experiments = await search<{ experiment_id: string }>('experiments', { max_results: 10 })
  expect(experiments).toHaveLength(2)
  const ids = experiments.map(({ experiment_id: id }) => id)
  expect(await search('runs', { experiment_ids: ids })).toEqual([])
  expect(await search('runs', { experiment_ids: ids, run_view_type: 'DELETED_ONLY' })).toHaveLength(1)
})

/** Returns the runs or the experiments on the MLflow server. */
async function search<T>(kind: 'runs' | 'experiments', body: object): Promise<readonly T[]> {
  const answer = await fetch(`${mlflow.url}/api/2.0/mlflow/${kind}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return ((await answer.json()) as Partial<Record<typeof kind, readonly T[]>>)[kind] ?? []
}

test('what does not work is said with its remedy, and only what is needed fails', async () => {
  const { code, status, of } = await doctor(
    { ...s3.env, AWS_SECRET_ACCESS_KEY: 'another', AWS_MAX_ATTEMPTS: '1' },
    ...[configFor('http://127.0.0.1:9'), '--temporal', '127.0.0.1:9', '--store', `s3://${s3.bucket}/results`],
  )
  expect({ code, status }).toEqual({ code: 1, status: 'unhealthy' })
  for (const [name, state, found, remedy] of [
    ['server', 'failed', 'no Temporal server answers at 127.0.0.1:9', '--temporal'],
    ['workers', 'warning', 'not known', './zeroshift worker'],
    ['store', 'failed', 'the signature is wrong', 'credentials'],
    ['clock', 'warning', 'not known', 'NTP'],
    ['MLflow', 'warning', 'cannot be reached', 'tracking.uri'],
  ] as const)
    expect(of(name), name).toMatchObject({
      state,
      found: expect.stringContaining(found) as string,
      remedy: expect.stringContaining(remedy) as string,
    })
  expect(of('TensorFlow')).toMatchObject({ state: 'ok' })
})

test.skipIf(driverProblem() === undefined)(
  "a GPU that is asked for and not there fails by the driver's name",
  async () => {
    const { code, of } = await doctor({}, '--device', 'gpu')
    expect(code).toBe(1)
    expect(of('TensorFlow')).toMatchObject({ state: 'ok' })
    expect(of('device')).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('libcuda.so.1') as string,
      remedy: expect.stringContaining('./zeroshift setup --device gpu') as string,
    })
  },
)

test('a store that cannot be written to fails by name', async () => {
  const place = join(directory, 'file')
  writeFileSync(place, '')
  mkdirSync(join(directory, 'fine'), { recursive: true })
  const { code, of } = await doctor({}, '--store', place)
  expect(code).toBe(1)
  expect(of('store')).toMatchObject({ state: 'failed', remedy: expect.stringContaining('--store') as string })
  expect((await doctor({}, '--store', join(directory, 'fine'))).code).toBe(0)
})
