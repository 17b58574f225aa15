import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { answerOf, smallConfig, zeroshiftWith } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { Site } from '../support/durable.ts'
import { mlflowServer, type TestMlflow } from '../support/mlflow.ts'
import { forFile } from '../support/release.ts'
import { s3Proxy } from '../support/s3-proxy.ts'
import { s3Server, type TestS3 } from '../support/s3.ts'
import { serving } from '../support/serving.ts'

/** Returns a secret for a name. All outputs of the run are searched for these secrets. */
const planted = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 24)
const password = planted('password of MLflow')
const wrongPassword = planted('a wrong password')
const token = planted('token of MLflow')
const wrongKey = planted('a wrong S3 key')

let directory: string
let s3: TestS3
let mlflow: TestMlflow
let site: Site
beforeAll(async () => {
  directory = fileDirectory()
  ;[s3, mlflow, site] = await Promise.all([
    forFile(s3Server()),
    forFile(mlflowServer()),
    forFile(new Site().open()),
  ])
})

/** A way to MLflow that asks for a name and a password, as a reverse proxy does. */
async function guarded(target: string) {
  const expected = `Basic ${Buffer.from(`somebody:${password}`).toString('base64')}`
  return serving((asked, answer) => {
    if (asked.headers.authorization !== expected) {
      answer.writeHead(401).end('who are you?')
      return
    }
    const { method = '', url = '', headers } = asked
    const onwards = request(new URL(url, target), { method, headers }, (response: IncomingMessage) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    onwards.on('error', () => answer.destroy())
    asked.pipe(onwards)
  })
}

/** Every file below a directory. */
function filesOf(folder: string): readonly Buffer[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
}

test('keys, passwords and tokens are in no log, artifact, report, MLflow server or history', async () => {
  const unreliable = await s3Proxy(s3.endpoint, ({ number }) =>
    number % 7 === 3 ? { answer: { status: 503, code: 'SlowDown' } } : {},
  )
  const guard = await guarded(mlflow.url)
  const secretKey = s3.credentials.secretAccessKey
  const env = {
    ...s3.env,
    AWS_ENDPOINT_URL_S3: unreliable.url,
    MLFLOW_TRACKING_USERNAME: 'somebody',
    MLFLOW_TRACKING_TOKEN: token,
  }
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  const said: string[] = []
  const say = async (changes: NodeJS.ProcessEnv, ...args: readonly string[]) => {
    const ended = await zeroshiftWith({ ...env, ...changes }, directory, ...args).ended
    said.push(ended.stdout, ended.stderr)
    return ended
  }
  const store = ['--store', `s3://${s3.bucket}/runs`]
  const given = ['run', 'small.yaml', ...store, '--temporal', site.address, '--json']
  try {
    // What is refused, where credentials are in the wrong place.
    const url = guard.url.replace('//', `//somebody:${password}@`)
    expect(await say({}, ...given, '-S', `tracking.uri=${url}`)).toMatchObject({ code: 2 })
    const misplaced = unreliable.url.replace('//', `//a:${secretKey}@`)
    for (const changes of [{ AWS_ENDPOINT_URL_S3: misplaced }, { AWS_SECRET_ACCESS_KEY: wrongKey }])
      expect(await say(changes, 'report', 'any', ...store)).toMatchObject({ code: 2 })

    // A run whose tracking is refused, delivered afterwards.
    await site.worker({ env: { ...env, MLFLOW_TRACKING_PASSWORD: wrongPassword } })
    const run = await say(
      {},
      ...given,
      '-S',
      `tracking={uri: ${guard.url}, experiment: secrets, register: true}`,
    )
    const { id } = answerOf(run.stdout)
    expect(run.code).toBe(0)
    expect(await say({ MLFLOW_TRACKING_PASSWORD: wrongPassword }, 'track', id, ...store)).toMatchObject({
      code: 2,
    })
    expect(await say({ MLFLOW_TRACKING_PASSWORD: password }, 'track', id, ...store)).toMatchObject({
      code: 0,
    })
    await say({}, 'status', id, '--temporal', site.address)
    await say({}, 'resume', id, ...store, '--temporal', site.address)
    await say({}, 'report', id, ...store)
    await say({}, 'gc', ...store)
    await say({}, 'doctor', 'small.yaml', ...store)

    const histories: Buffer[] = []
    for await (const { workflowId, runId } of site.client.workflow.list()) {
      const history = await site.client.workflow.getHandle(workflowId, runId).fetchHistory()
      histories.push(Buffer.from(JSON.stringify(history)))
    }
    const places = {
      'what commands said': said.map((text) => Buffer.from(text)),
      'the store': filesOf(s3.directory),
      'the directory of the commands': filesOf(directory),
      'logs and database of Temporal and the worker': filesOf(site.directory),
      'histories of workflows': histories,
      'files and database of MLflow': filesOf(mlflow.directory),
    }
    const secrets = [secretKey, wrongKey, password, wrongPassword, token]
    const spellings = [password, wrongPassword, token].map((word) => `somebody:${word}`)
    const encoded = [...secrets, ...spellings].flatMap((text) => [
      text,
      // Two characters in, so that what stands before it does not matter much.
      Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1),
    ])
    for (const [place, contents] of Object.entries(places)) {
      // The search finds what is there.
      if (place !== 'the directory of the commands') {
        const marks = [id, Buffer.from(id).toString('base64').slice(0, -4)]
        expect(
          contents.some((bytes) => marks.some((mark) => bytes.includes(mark))),
          place,
        ).toBe(true)
      }
      for (const text of encoded)
        expect(
          contents.some((bytes) => bytes.includes(text)),
          `${text} in ${place}`,
        ).toBe(false)
    }
  } finally {
    await guard.close()
    await unreliable.close()
  }
})
