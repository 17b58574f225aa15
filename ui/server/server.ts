import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import {
  controlActions,
  type ControlAction,
  type ControlRequest,
  type Failure,
  type Session,
} from '../contract.ts'
import { zippedExport } from '../export/export-archive.ts'
import { exportFiles } from '../export/export-folder.ts'
import { failureOf, RefusedRequest, type Answer, type Params } from './answers/answer.ts'
import { answerCaches, type AnswerContext } from './answers/context.ts'
import { EventClient } from './event-client.ts'
import { KeptResults } from './kept-results.ts'
import type { Operations } from './operations.ts'
import { fileFor, readPage, type PageFiles } from './page-files.ts'
import { Poller } from './poller.ts'
import { controlRequestSchema } from './control-request.ts'
import { routes } from './routes.ts'
import { RunReader } from './run-reader.ts'
import {
  changeToken,
  Entrance,
  refuseForgery,
  refuseHost,
  refuseOtherSite,
  refuseUnsafe,
  securityHeaders,
} from './security.ts'

export interface UiServerOptions {
  readonly artifacts: Artifacts
  readonly operations: Operations
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** The secret that the page asks for. Absent on this machine alone, if the page may only read. */
  readonly token?: string
  /** The folder of the built page. Absent if it is not built. */
  readonly page?: string
  readonly version: string
  /** A folder in which results of large sweeps are kept. Absent if none are. */
  readonly cache?: string
  /** The store as a path or a URL, for people. */
  readonly store: string
  /** Is called with unexpected errors. */
  readonly onError?: (error: unknown) => void
}

export interface UiServer {
  readonly port: number
  /** The number of clients that listen to events. */
  readonly listeners: () => number
  readonly close: () => Promise<void>
}

/** The longest path: the ids of all runs of a comparison. */
const MOST_PATH = 64 * 1024
const MOST_BODY = 16 * 1024

/** Starts the server of the page. Throws a UserError if the address cannot be used. */
export async function startUiServer(options: UiServerOptions): Promise<UiServer> {
  const { artifacts, operations, host, port, token, page, onError = () => undefined } = options
  refuseUnsafe(host, token)
  const reader = new RunReader(artifacts, operations)
  const poller = new Poller({ read: (wanted) => reader.read(wanted), onError })
  const change = operations.control && changeToken()
  const context: AnswerContext = {
    artifacts,
    snapshot: () => poller.latest(),
    session: async (): Promise<Session> => {
      const { temporal } = await poller.latest()
      return {
        ...{ version: options.version, store: options.store },
        ...(temporal !== undefined && { temporal }),
        ...(change !== undefined && { token: change }),
      }
    },
    lastCheck: operations.lastCheck,
    ...(options.cache !== undefined && {
      kept: new KeptResults({
        ...{ folder: options.cache, store: artifacts.store.url, version: options.version },
      }),
    }),
    ...answerCaches(),
  }
  const files = page === undefined ? undefined : await readPage(page)
  const app = fastify({
    bodyLimit: MOST_BODY,
    forceCloseConnections: true,
    http: { maxHeaderSize: MOST_PATH },
    routerOptions: { maxParamLength: MOST_PATH },
  })
  // Browsers send cookies to all ports of a host.
  guard(app, new Entrance(token, `zeroshift-ui-${port}`), host, onError)
  addAnswers(app, context)
  addExports(app, options, files)
  addEvents(app, poller)
  addControl(app, operations, change, () => {
    reader.expire()
    poller.expire()
  })
  app.all('/api/*', () => {
    throw nothingHere()
  })
  addPage(app, files)
  await listen(app, host, port)
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    listeners: () => poller.size,
    async close() {
      poller.stop()
      await app.close()
    },
  }
}

/** Checks every request before it is answered, and writes failures as the contract has them. */
function guard(
  app: FastifyInstance,
  entrance: Entrance,
  host: string,
  onError: (error: unknown) => void,
): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders)
    refuseHost(request, host)
    const given = tokenIn(request)
    if (given !== undefined) {
      const cookie = entrance.cookieFor(given)
      if (cookie !== undefined) void reply.header('set-cookie', cookie)
      // The token does not stay in the address, which the browser remembers.
      return reply.redirect('./', 303)
    }
    if (isOfApi(request)) refuseOtherSite(request)
    entrance.refuseStranger(request)
    return undefined
  })
  app.setErrorHandler((error, request, reply) => {
    const { status, failure } = failureOf(fromFastify(error))
    if (status >= 500) onError(error)
    void reply.code(status).header('cache-control', 'no-store')
    return isOfApi(request)
      ? reply.send(failure)
      : reply.type('text/html; charset=utf-8').send(failurePage(failure))
  })
  app.setNotFoundHandler(() => {
    throw nothingHere()
  })
}

function nothingHere(): RefusedRequest {
  return new RefusedRequest(404, 'there is nothing at this address', 'open the page of this server')
}

/** The token in the address of the page, by which a browser enters. */
function tokenIn({ method, url, query }: FastifyRequest): string | undefined {
  const { token } = query as { readonly token?: unknown }
  return method === 'GET' && url.startsWith('/?') && typeof token === 'string' ? token : undefined
}

/** The route decides, since a path may be written in several ways. */
function isOfApi({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/api/')
}

function failurePage({ error, remedy = '' }: Failure): string {
  const lines = [error, remedy].filter((line) => line !== '').map((line) => `<p>${escaped(line)}</p>`)
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Zeroshift</title>${lines.join('')}</html>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Fastify refuses bodies that are too long or no JSON by errors of its own. */
function fromFastify(error: unknown): unknown {
  if (error instanceof RefusedRequest || !(error instanceof Error) || !('statusCode' in error)) return error
  const { statusCode, message } = error
  return typeof statusCode === 'number' && statusCode < 500 ? new RefusedRequest(statusCode, message) : error
}

function addAnswers(app: FastifyInstance, context: AnswerContext): void {
  for (const [path, route] of Object.entries(routes))
    app.get<{ Params: Params }>(`/${path}`, async (request, reply) =>
      send(reply, await route(context, request.params)),
    )
}

function addExports(
  app: FastifyInstance,
  { artifacts, version }: UiServerOptions,
  page: PageFiles | undefined,
): void {
  app.get<{ Params: { readonly file: string } }>('/api/exports/:file', async (request, reply) => {
    const [, name = ''] = /^([\w.+-]+)\.zip$/.exec(request.params.file) ?? []
    if (!page || name === '') return reply.callNotFound()
    const runs = name.split('+')
    const files = await exportFiles({ artifacts, version, page, runs, withImages: false })
    const folder = runs.length === 1 ? name : `${runs.length}-runs`
    const bytes = zippedExport(files, folder)
    return send(reply, { bytes, type: 'application/zip', name: `${folder}.zip` })
  })
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  void reply.header('cache-control', 'no-store')
  if ('json' in answer)
    return reply.type('application/json; charset=utf-8').send(answer.text ?? JSON.stringify(answer.json))
  const { bytes, type, name } = answer
  if (name !== undefined) void reply.header('content-disposition', `attachment; filename="${name}"`)
  return reply.type(type).send(Buffer.from(bytes))
}

function addEvents(app: FastifyInstance, poller: Poller): void {
  app.get<{ Querystring: { readonly run?: string; readonly sweep?: string } }>(
    '/api/events',
    (request, reply) => {
      const { run, sweep } = request.query
      reply.hijack()
      const stream = reply.raw
      stream.writeHead(200, {
        ...securityHeaders,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      })
      stream.flushHeaders()
      const leave = poller.listen(new EventClient(stream, { run, sweep }))
      stream.on('close', leave)
      stream.on('error', leave)
    },
  )
}

function addControl(
  app: FastifyInstance,
  { control }: Operations,
  token: string | undefined,
  onChange: () => void,
): void {
  app.post<{ Params: { readonly run: string; readonly action: string } }>(
    '/api/runs/:run/:action',
    {
      onRequest: (request, _reply, done) => {
        refuseForgery(request, token)
        done()
      },
    },
    async (request, reply) => {
      const { run, action } = request.params
      if (!control || !isAction(action))
        throw new RefusedRequest(404, `runs cannot be changed by '${action}'`)
      try {
        return send(reply, { json: await control(run, action, bodyOf(request)) })
      } finally {
        onChange()
      }
    },
  )
}

function isAction(text: string): text is ControlAction {
  return controlActions.some((action) => action === text)
}

function bodyOf({ body }: FastifyRequest): ControlRequest {
  const { data, error } = controlRequestSchema.safeParse(body ?? {})
  if (data) return data
  throw new RefusedRequest(400, `the body of the request has another form: ${error.issues[0]?.message ?? ''}`)
}

function addPage(app: FastifyInstance, files: PageFiles | undefined): void {
  app.get<{ Params: { readonly '*': string } }>('/*', (request, reply) => {
    if (!files)
      throw new RefusedRequest(
        503,
        'the page is not built',
        'run `node infra/bootstrap.mjs`, and start the server again',
      )
    const path = request.params['*'] === '' ? 'index.html' : request.params['*']
    const file = fileFor(files, path, request)
    if (file === undefined) return reply.callNotFound()
    if (file === 'unchanged') return reply.code(304).send()
    return reply.headers(file.headers).send(Buffer.from(file.bytes))
  })
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw refusal(error as NodeJS.ErrnoException, host, port)
  }
}

function refusal(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError(
        `--port: port ${port} of ${host} is in use by another program; expected a free one`,
      )
    case 'EACCES':
      return new UserError(`--port: port ${port} is not for this user to open; expected one from 1024 on`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UserError(
        `--host: this machine has no address '${host}'; expected one of its own, or 0.0.0.0 for all of them`,
      )
    default:
      return error
  }
}
