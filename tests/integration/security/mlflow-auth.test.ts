import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { MlflowClient } from '../../../tracking/mlflow.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { administrator, mlflowWithAuth } from '../../support/mlflow-auth.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
  for (const part of ['USERNAME', 'PASSWORD', 'TOKEN'])
    for (const end of ['', '_FILE']) vi.stubEnv(`MLFLOW_TRACKING_${part}${end}`, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

/** Credentials are read when a client is made. */
const experiment = (url: string, name: string) =>
  new MlflowClient(url, { retries: 0 }).experiment(name).then((id) => ({ id }))

describe('an MLflow server that knows users by name and password', () => {
  let server: Awaited<ReturnType<typeof mlflowWithAuth>>
  beforeAll(async () => {
    server = await mlflowWithAuth()
  })
  afterAll(() => server.stop())

  test('takes what comes with both, from the environment, from files or from the URL', async () => {
    vi.stubEnv('MLFLOW_TRACKING_USERNAME', administrator.name)
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD', administrator.word)
    const { id } = await experiment(server.url, 'from the environment')
    expect(id).toMatch(/^\d+$/)
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD', undefined)
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD_FILE', file('word', `${administrator.word}\n`))
    expect(await experiment(server.url, 'from the environment')).toEqual({ id })
    vi.stubEnv('MLFLOW_TRACKING_USERNAME', undefined)
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD_FILE', undefined)
    const url = new URL(server.url)
    url.username = administrator.name
    url.password = administrator.word
    expect(await experiment(url.href, 'from the environment')).toEqual({ id })
  })

  test('refuses what comes without, or with others, and the error says what to check and no secret', async () => {
    const refusal = () => errorOf(experiment(server.url, 'refused'), UserError)
    const bare = await refusal()
    expect(String(bare)).toMatch(/401.*MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD/s)
    vi.stubEnv('MLFLOW_TRACKING_USERNAME', administrator.name)
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'a wrong word')
    const wrong = await refusal()
    expect(String(wrong)).not.toContain('a wrong word')
  })
})

describe('an MLflow server that knows users by a token', () => {
  let server: Awaited<ReturnType<typeof mlflowWithAuth>>
  beforeAll(async () => {
    server = await mlflowWithAuth('t0ken')
  })
  afterAll(() => server.stop())

  test('takes what comes with it, from the environment or from a file, and nothing else', async () => {
    await expect(experiment(server.url, 'by token')).rejects.toThrow(UserError)
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'another')
    await expect(experiment(server.url, 'by token')).rejects.toThrow(UserError)
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 't0ken')
    const { id } = await experiment(server.url, 'by token')
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', undefined)
    vi.stubEnv('MLFLOW_TRACKING_TOKEN_FILE', file('token', 't0ken\n'))
    expect(await experiment(server.url, 'by token')).toEqual({ id })
  })
})

test.each([
  'http://169.254.169.254/latest',
  'http://[::ffff:169.254.169.254]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[fe80::1]/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://metadata.google.internal/',
  'http://[64:ff9b::a9fe:a9fe]/',
])('no config makes a worker ask %s for experiments', (url) => {
  expect(() => new MlflowClient(url)).toThrow(/link-local or metadata address, which is never asked/)
})
