import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { presentClusterTools } from '../../../infra/cluster-tools.mjs'
import { GRACE_SECONDS } from '../../../worker/worker.ts'
import { queues } from '../../../workflows/names.ts'
import { testDirectory } from '../../support/directories.ts'

const tools = presentClusterTools()
const why = tools ? '' : ' (skipped without its loader: node infra/bootstrap.mjs --with-cluster-tools)'
const file = fileURLToPath(new URL('../../../infra/compose.yaml', import.meta.url))
const secrets = { POSTGRES_PASSWORD: 'one', S3_ACCESS_KEY: 'two', S3_SECRET_KEY: 'three' }

interface Service {
  readonly image: string
  readonly build?: object
  readonly command?: readonly string[]
  readonly ports?: readonly { readonly host_ip?: string }[]
  readonly read_only?: boolean
  readonly stop_grace_period?: string
  readonly cap_drop?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: object
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Loads the project with Compose's own loader, which refuses what its schema does not have. The
 * loader reads no environment variables as a command, so the secrets are filled in before.
 */
function load(given: Readonly<Record<string, string>>) {
  const filled = Object.entries(given).reduce(
    (text, [name, value]) => text.replaceAll(new RegExp(`\\$\\{${name}:\\?[^}]*\\}`, 'g'), value),
    readFileSync(file, 'utf8'),
  )
  const directory = testDirectory()
  const copy = join(directory, 'compose.yaml')
  writeFileSync(copy, filled)
  return spawnSync(tools?.compose ?? '', ['--format', 'json', copy], { encoding: 'utf8' })
}

function services(): Readonly<Record<string, Service>> {
  const { status, stdout, stderr } = load(secrets)
  if (status !== 0) throw new Error(stderr)
  return (JSON.parse(stdout) as { services: Record<string, Service> }).services
}

describe.skipIf(!tools)(`infra/compose.yaml${why}`, () => {
  test('has Temporal with PostgreSQL, an S3 server, MLflow and workers for every queue', () => {
    const all = services()
    expect(Object.keys(all)).toEqual(
      expect.arrayContaining(['postgresql', 'temporal', 's3', 'mlflow', 'control', 'training']),
    )
    const served = Object.values(all).flatMap(({ command = [] }) =>
      command[0] === 'worker' ? command.slice(2) : [],
    )
    expect(served.sort()).toEqual([...queues].sort())
  })

  test.each(Object.keys(secrets))('does not start without %s', (name) => {
    const others = Object.entries(secrets).filter(([other]) => other !== name)
    const { status, stderr } = load(Object.fromEntries(others))
    expect(status).not.toBe(0)
    expect(stderr).toContain(`${name} is missing a value: see docs/guides/several-machines.md`)
  })

  test("others' images are pinned, by digest but for MLflow's", () => {
    for (const { image, build } of Object.values(services()))
      if (!build) expect(image).toMatch(/^ghcr\.io\/mlflow\/mlflow:v[\d.]+$|:[\w.-]+@sha256:[0-9a-f]{64}$/)
  })

  test('nothing listens to other machines', () => {
    const ports = Object.values(services()).flatMap(({ ports = [] }) => ports)
    expect(ports.length).toBeGreaterThanOrEqual(3)
    for (const { host_ip } of ports) expect(host_ip).toBe('127.0.0.1')
  })

  test('workers cannot write to their own files, and have time to hand over', () => {
    const ours = Object.values(services()).filter(({ build }) => build)
    expect(ours.length).toBeGreaterThanOrEqual(2)
    for (const { read_only, cap_drop, stop_grace_period } of ours) {
      expect({ read_only, cap_drop }).toEqual({ read_only: true, cap_drop: ['ALL'] })
      expect(secondsIn(stop_grace_period)).toBeGreaterThanOrEqual(GRACE_SECONDS + 30)
    }
  })

  test('a service that others wait for until it is healthy says when it is', () => {
    const all = services()
    const awaited = Object.values(all).flatMap(({ depends_on = {} }) =>
      Object.entries(depends_on).flatMap(([name, { condition }]) =>
        condition === 'service_healthy' ? [name] : [],
      ),
    )
    expect(awaited.length).toBeGreaterThan(0)
    for (const name of awaited) expect(all[name]).toHaveProperty('healthcheck')
  })
})

/** Converts a duration in Go's notation into seconds. */
function secondsIn(duration = ''): number {
  const { m = '0', s = '0' } = /^(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?$/.exec(duration)?.groups ?? {}
  return 60 * Number(m) + Number(s)
}
