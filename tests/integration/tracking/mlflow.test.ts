import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { MlflowClient, type Metric } from '../../../tracking/mlflow.ts'
import { mlflowServer } from '../../support/mlflow.ts'

let server: Awaited<ReturnType<typeof mlflowServer>>
beforeAll(async () => {
  server = await mlflowServer()
})
afterAll(() => server.stop())

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(`${server.url}/api/2.0/mlflow/${path}`, init)).json()) as T
}

const history = async (run: string, key: string) =>
  (
    await ask<{ metrics?: Metric[] }>(
      `metrics/get-history?run_id=${run}&metric_key=${encodeURIComponent(key)}&max_results=5000`,
    )
  ).metrics ?? []

interface RunAnswer {
  readonly run: {
    readonly info: { readonly status: string; readonly run_name: string }
    readonly data: {
      readonly params?: readonly { readonly key: string; readonly value: string }[]
      readonly tags?: readonly { readonly key: string; readonly value: string }[]
    }
  }
}

describe('on a real server', () => {
  test('experiments and runs are made once and found again', async () => {
    const client = new MlflowClient(server.url)
    const experiment = await client.experiment('found again')
    expect(await client.experiment('found again')).toBe(experiment)
    const make = () => client.run(experiment, { key: 'a/b', name: 'first', startTime: 1000 })
    const run = await make()
    expect(await make()).toBe(run)
    expect(await client.run(experiment, { key: 'a/c', name: 'second', startTime: 1000 })).not.toBe(run)
    await client.end(run, 'FINISHED', 2000)
    expect((await ask<RunAnswer>(`runs/get?run_id=${run}`)).run.info).toMatchObject({
      status: 'FINISHED',
      run_name: 'first',
    })
  })

  test('more than one call can hold arrives whole, and once however often it is sent', async () => {
    const client = new MlflowClient(server.url)
    const run = await client.run(await client.experiment('limits'), {
      key: 'limits',
      name: 'limits',
      startTime: 1,
    })
    const metrics = Array.from({ length: 2500 }, (_, step) => ({
      key: 'loss',
      value: 1 / (step + 1),
      timestamp: 5000,
      step,
    }))
    const params = Object.fromEntries(
      Array.from({ length: 250 }, (_, i) => [`p${i}`, i === 0 ? 'x'.repeat(9000) : String(i)]),
    )
    const tags = { long: 'y'.repeat(7000) }
    await client.log(run, { metrics, params, tags })
    await client.log(run, { metrics, params, tags })
    const points = await history(run, 'loss')
    expect(points.map(({ step }) => step).sort((a, b) => a - b)).toEqual(metrics.map(({ step }) => step))
    const { data } = (await ask<RunAnswer>(`runs/get?run_id=${run}`)).run
    expect(data.params?.length).toBe(250)
    expect(data.params?.find(({ key }) => key === 'p0')?.value.length).toBe(6000)
    expect(data.tags?.find(({ key }) => key === 'long')?.value.length).toBe(5000)
  })

  test('a name that the server would refuse is refused before anything is sent', async () => {
    const client = new MlflowClient(server.url)
    const run = await client.run(await client.experiment('names'), {
      key: 'names',
      name: 'names',
      startTime: 1,
    })
    const good: Metric = { key: 'fine', value: 1, timestamp: 1, step: 0 }
    await expect(client.log(run, { metrics: [good, { ...good, key: 'a|b' }] })).rejects.toThrow(
      'does not accept the name "a|b"',
    )
    await expect(client.log(run, { params: { '../up': 'x' } })).rejects.toThrow('"../up"')
    expect(await history(run, 'fine')).toEqual([])
  })
})

/** A server that fails in ways that a sound one does not. */
async function faulty(handle: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  let count = 0
  const fake = createServer((request, response) => {
    handle(request, response, ++count)
  })
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve))
  const { port } = fake.address() as AddressInfo
  return { port, asked: () => count, close: () => fake.close() }
}

describe('when the server fails', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  const quick = { retryAfter: 5, retries: 3 }

  test('503 and 429 are tried again', async () => {
    const fake = await faulty((_, response, count) => {
      response
        .writeHead(count === 1 ? 503 : count === 2 ? 429 : 200)
        .end('{"experiment":{"experiment_id":"7"}}')
    })
    expect(await new MlflowClient(`http://127.0.0.1:${fake.port}`, quick).experiment('x')).toBe('7')
    expect(fake.asked()).toBe(3)
    fake.close()
  })

  test('a bad request is not, and says what the server said', async () => {
    const fake = await faulty((_, response) => {
      response.writeHead(400).end('{"error_code":"INVALID_PARAMETER_VALUE","message":"no such thing"}')
    })
    await expect(new MlflowClient(`http://127.0.0.1:${fake.port}`, quick).experiment('x')).rejects.toThrow(
      'answered 400: {"error_code":"INVALID_PARAMETER_VALUE","message":"no such thing"}',
    )
    expect(fake.asked()).toBe(1)
    fake.close()
  })

  test('a server that is away gives its address and no credentials', async () => {
    const fake = await faulty(() => undefined)
    fake.close()
    const client = new MlflowClient(`http://someone:hunter2@127.0.0.1:${fake.port}`, quick)
    const error = await client.experiment('x').catch((caught: unknown) => caught as Error)
    expect(String(error)).toContain(
      `http://127.0.0.1:${fake.port} (experiments/get-by-name) cannot be reached`,
    )
    expect(String(error) + JSON.stringify(error)).not.toContain('hunter2')
  })

  test('credentials of the URL and of the environment are sent, and refused ones are explained', async () => {
    const seen: (string | undefined)[] = []
    const fake = await faulty((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(401).end('no')
    })
    const address = `127.0.0.1:${fake.port}`
    await expect(new MlflowClient(`http://me:pw@${address}`, quick).experiment('x')).rejects.toThrow(
      'MLFLOW_TRACKING_USERNAME',
    )
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'abc')
    await expect(new MlflowClient(`http://${address}`, quick).experiment('x')).rejects.toThrow('401')
    expect(seen).toEqual([`Basic ${Buffer.from('me:pw').toString('base64')}`, 'Bearer abc'])
    fake.close()
  })
})
