import type { IncomingMessage, ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { MlflowClient } from '../../../tracking/mlflow.ts'
import { serving } from '../../support/serving.ts'

/** A server that fails in ways that a sound one does not. */
async function faulty(handle: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  let count = 0
  const { url, close } = await serving((request, response) => {
    handle(request, response, ++count)
  })
  return { url, port: new URL(url).port, asked: () => count, close }
}

describe('the client', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  const quick = { retryAfter: 5, retries: 3 }

  test('503, 429, 408 and a broken connection are tried again, with the same body', async () => {
    const bodies: string[] = []
    const fake = await faulty((request, response, count) => {
      let body = ''
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
      request.on('end', () => {
        bodies.push(body)
        if (count === 4) request.socket.destroy()
        else response.writeHead([503, 429, 408][count - 1] ?? 200).end('{}')
      })
    })
    const client = new MlflowClient(fake.url, { retryAfter: 5, retries: 4 })
    await client.update('run', 'FINISHED', 1234)
    expect(bodies).toHaveLength(5)
    expect(new Set(bodies)).toEqual(new Set(['{"run_id":"run","status":"FINISHED","end_time":1234}']))
    await fake.close()
  })

  test('a server that stays overloaded ends the retries with what it said', async () => {
    const fake = await faulty((_, response) => {
      response.writeHead(503).end('busy')
    })
    await expect(new MlflowClient(fake.url, quick).experiment('x')).rejects.toThrow(
      '(experiments/get-by-name) answered 503: busy',
    )
    expect(fake.asked()).toBe(4)
    await fake.close()
  })

  test('a call holds at most 1 MB, 100 parameters and 1,000 points, whatever its characters take', async () => {
    interface Batch {
      readonly params?: readonly { readonly key: string }[]
      readonly metrics?: readonly unknown[]
    }
    const batches: Batch[] = []
    const fake = await faulty((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const body = Buffer.concat(pieces)
        expect(body.length).toBeLessThanOrEqual(1_000_000)
        batches.push(JSON.parse(body.toString()) as Batch)
        response.end('{}')
      })
    })
    const params = Object.fromEntries(
      Array.from({ length: 250 }, (_, i) => [`p${i}`, '学'.repeat(i < 150 ? 1 : 6000)]),
    )
    const metrics = Array.from({ length: 1001 }, (_, step) => ({ key: 'm', value: 1, timestamp: 1, step }))
    await new MlflowClient(fake.url, quick).log('run', { params, metrics }, { asks: false })
    expect(batches.flatMap((batch) => batch.params ?? []).map(({ key }) => key)).toEqual(Object.keys(params))
    expect(batches.flatMap((batch) => batch.metrics ?? [])).toEqual(metrics)
    for (const batch of batches) {
      expect(batch.params?.length ?? 0).toBeLessThanOrEqual(100)
      expect(batch.metrics?.length ?? 0).toBeLessThanOrEqual(1000)
    }
    await fake.close()
  })

  test('a value that is too long is refused before anything is sent', async () => {
    const client = new MlflowClient('http://127.0.0.1:9', quick)
    await expect(client.log('run', { params: { long: 'x'.repeat(6001) } })).rejects.toThrow(
      'the value of "long" has 6001 characters; MLflow takes 6000',
    )
  })

  test('a server that asks to be left alone is, for as long as it says', async () => {
    const times: number[] = []
    const fake = await faulty((_, response, count) => {
      times.push(performance.now())
      if (count === 1) response.writeHead(429, { 'retry-after': '1' }).end('later')
      else response.end('{}')
    })
    await new MlflowClient(fake.url, quick).update('run', 'RUNNING')
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
    await fake.close()
  })

  test('what the server still writes of a call that was given up is no refusal: it is asked again', async () => {
    const fake = await faulty((_, response, count) => {
      const conflict = '(sqlite3.IntegrityError) UNIQUE constraint failed: metrics.key, metrics.timestamp'
      if (count === 1)
        response.writeHead(400).end(JSON.stringify({ error_code: 'BAD_REQUEST', message: conflict }))
      else response.end('{}')
    })
    await new MlflowClient(fake.url, quick).log('run', { tags: { a: 'b' } })
    expect(fake.asked()).toBe(2)
    await fake.close()
  })

  test('a pause of minutes is left to whoever called', async () => {
    const fake = await faulty((_, response) => {
      response.writeHead(503, { 'retry-after': '300' }).end('down for maintenance')
    })
    await expect(new MlflowClient(fake.url, quick).update('run', 'RUNNING')).rejects.toThrow('maintenance')
    expect(fake.asked()).toBe(1)
    await fake.close()
  })

  test('an address where nobody answers is given up within seconds', async () => {
    // Reserved for documentation: no route leads there, or packets to it vanish.
    const client = new MlflowClient('http://192.0.2.1:5000', { retries: 0 })
    const start = performance.now()
    await expect(client.experiment('x')).rejects.toThrow('cannot be reached')
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test.each(['a|b', '../up', '..up', '/root', 'a//b', 'end/', '', 'x'.repeat(251), 'ü'])(
    'the name "%s" is refused before anything is sent',
    async (key) => {
      const client = new MlflowClient('http://127.0.0.1:9', quick)
      await expect(client.log('run', { tags: { [key]: 'x' } })).rejects.toThrow(RangeError)
      await expect(
        client.log('run', { metrics: [{ key, value: 1, timestamp: 1, step: 1 }] }),
      ).rejects.toThrow(RangeError)
    },
  )

  test('so is a value that is not finite', async () => {
    const client = new MlflowClient('http://127.0.0.1:9', quick)
    const metrics = [{ key: 'loss', value: NaN, timestamp: 1, step: 3 }]
    await expect(client.log('run', { metrics })).rejects.toThrow('the metric "loss" is NaN at step 3')
  })

  test('a page that is not an MLflow server is told from one', async () => {
    const fake = await faulty((_, response) => {
      response.end('<html>Welcome</html>')
    })
    const client = new MlflowClient(fake.url, quick)
    await expect(client.experiment('x')).rejects.toThrow(
      'is it an MLflow server? It says: <html>Welcome</html>',
    )
    expect(fake.asked()).toBe(1)
    await fake.close()
  })

  test('a bad request is not tried again, and says what the server said', async () => {
    const fake = await faulty((_, response) => {
      response.writeHead(400).end('{"error_code":"INVALID_PARAMETER_VALUE","message":"no such thing"}')
    })
    await expect(new MlflowClient(fake.url, quick).experiment('x')).rejects.toThrow(
      'answered 400: {"error_code":"INVALID_PARAMETER_VALUE","message":"no such thing"}',
    )
    expect(fake.asked()).toBe(1)
    await fake.close()
  })

  test('a server that is away gives its address and no credentials', async () => {
    const fake = await faulty(() => undefined)
    await fake.close()
    const client = new MlflowClient(`http://someone:hunter2@127.0.0.1:${fake.port}`, quick)
    const error = await client.experiment('x').catch((caught: unknown) => caught as Error)
    expect(String(error)).toContain(`${fake.url} (experiments/get-by-name) cannot be reached`)
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
    await expect(new MlflowClient(`http://a%40b:100%@${address}`, quick).experiment('x')).rejects.toThrow()
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'abc')
    await expect(new MlflowClient(`http://${address}`, quick).experiment('x')).rejects.toThrow('401')
    vi.stubEnv('MLFLOW_TRACKING_USERNAME', 'you')
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'word')
    await expect(new MlflowClient(`http://${address}`, quick).experiment('x')).rejects.toThrow(UserError)
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
    expect(seen).toEqual([basic('me:pw'), basic('a@b:100%'), 'Bearer abc', basic('you:word')])
    await fake.close()
  })

  test('never go to another machine over a plain connection', () => {
    expect(() => new MlflowClient('http://me:hunter2@mlflow.example.org', quick)).toThrow(
      /^MLflow's credentials would go to http:\/\/mlflow\.example\.org over a connection that is not encrypted/,
    )
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'hunter2')
    expect(() => new MlflowClient('http://10.0.0.1:5000', quick)).toThrow(UserError)
    for (const uri of ['https://mlflow.example.org', 'http://localhost:5000', 'http://[::1]:5000'])
      expect(() => new MlflowClient(uri, quick)).not.toThrow()
    vi.unstubAllEnvs()
    expect(() => new MlflowClient('http://mlflow.example.org', quick)).not.toThrow()
  })

  test.each(['http://me:hunter2@', 'ftp://me:hunter2@host', 'me:hunter2'])(
    'an address that is not one is refused without its credentials (%s)',
    (uri) => {
      let caught: unknown
      try {
        new MlflowClient(uri)
      } catch (error) {
        caught = error
      }
      expect(caught).toBeInstanceOf(UserError)
      expect(inspect(caught, { showHidden: true, depth: 9 })).not.toContain('hunter2')
    },
  )

  test.each(['', '/', '/mlflow', '/mlflow/', '/mlflow?x=1#y'])(
    'the server may be under a path (%j)',
    async (path) => {
      const seen: (string | undefined)[] = []
      const fake = await faulty((request, response) => {
        seen.push(request.url)
        response.end('{}')
      })
      await new MlflowClient(`${fake.url}${path}`, quick).update('run', 'FAILED', 1)
      expect(seen).toEqual([`${path.startsWith('/mlflow') ? '/mlflow' : ''}/api/2.0/mlflow/runs/update`])
      await fake.close()
    },
  )
})
