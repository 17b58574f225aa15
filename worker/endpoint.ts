import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { UserError } from '../common/errors.ts'

export interface EndpointOptions {
  readonly host: string
  readonly port: number
}

/**
 * The state of a worker: `starting` until it asks Temporal for work, `ready` while it does so, `no
 * server` while the server does not answer, and `stopping` once it has been told to stop.
 */
export type State = 'starting' | 'ready' | 'no server' | 'stopping'

/** The content that the endpoint serves. */
export interface Shown {
  readonly state: () => State
  readonly metrics: () => Promise<string>
  readonly contentType: string
}

export interface Endpoint {
  readonly close: () => Promise<void>
}

/**
 * Serves `/metrics`, `/healthz` (the process is alive) and `/readyz` (it accepts work).
 * Computations on the device block all answers until their step ends, so that clients need a long
 * timeout. Throws a UserError if the port is in use.
 */
export async function startEndpoint(options: EndpointOptions, shown: Shown): Promise<Endpoint> {
  const server = createServer(({ method, url = '' }, response) => {
    const [path] = url.split('?')
    // A connection that is kept open may time out during a long step, and the next request on it
    // would fail.
    response.shouldKeepAlive = false
    if (method !== 'GET' && method !== 'HEAD') say(response, 405, 'expected GET')
    else if (path === '/healthz') say(response, 200, 'ok')
    else if (path === '/readyz') say(response, shown.state() === 'ready' ? 200 : 503, shown.state())
    else if (path === '/metrics')
      shown.metrics().then(
        (text) => {
          response.writeHead(200, { 'content-type': shown.contentType }).end(text)
        },
        (error: unknown) => {
          say(response, 500, String(error))
        },
      )
    else say(response, 404, 'expected /metrics, /healthz or /readyz')
  })
  await listen(server, options)
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * Throws a UserError if an endpoint cannot be served, before a worker is started that would serve
 * it.
 */
export async function refuseTaken(options: EndpointOptions): Promise<void> {
  const probe = createServer()
  await listen(probe, options)
  probe.close()
  await once(probe, 'close')
}

export function urlOf({ host, port }: EndpointOptions): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function listen(server: Server, { host, port }: EndpointOptions): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw refusal(error as NodeJS.ErrnoException, host, port)
  })
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

function refusal(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError(
        `--metrics-port: port ${port} of ${host} is in use by another program; expected a free one`,
      )
    case 'EACCES':
      return new UserError(
        `--metrics-port: port ${port} is not for this user to open; expected one from 1024 on`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UserError(
        `--metrics-host: this machine has no address '${host}'; expected one of its own, or 0.0.0.0 for all of them`,
      )
    default:
      return error
  }
}
