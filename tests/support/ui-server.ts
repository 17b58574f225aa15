import { request as send } from 'node:http'
import { Artifacts } from '../../artifacts/artifacts.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import type { Operations } from '../../ui/server/operations.ts'
import { startUiServer, type UiServerOptions } from '../../ui/server/server.ts'

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  readonly json: () => unknown
}

/** Operations without a Temporal server. */
export const offline: Operations = {
  live: () => Promise.resolve(undefined),
  estimate: () => Promise.resolve(new Map()),
  lastCheck: () => Promise.resolve(undefined),
}

/** A server of the page over a store, and requests to it with any headers. */
export async function uiServer(store: ObjectStore, options: Partial<UiServerOptions> = {}) {
  const errors: unknown[] = []
  const server = await startUiServer({
    ...{ artifacts: new Artifacts(store), operations: offline, host: '127.0.0.1', port: 0 },
    ...{ version: '9.9.9', store: store.url, onError: (error) => errors.push(error) },
    ...options,
  })
  const ask = (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    post?: unknown,
  ): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const request = send({
        ...{ host: '127.0.0.1', port: server.port, path: `/${path}`, headers, agent: false },
        method: post === undefined ? 'GET' : 'POST',
      })
      request.on('error', reject)
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const json = () => JSON.parse(bytes.toString()) as unknown
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json })
        })
      })
      if (post !== undefined) request.setHeader('content-type', 'application/json')
      request.end(post === undefined ? undefined : JSON.stringify(post))
    })
  return { ...{ server, ask, errors }, url: `http://127.0.0.1:${server.port}` }
}
