import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import type { Failure } from '../../ui/contract.ts'

/** A server of a built page with answers that a test chooses, and the policy of the real one. */
export interface PageServer {
  readonly url: string
  /** The answers by path. */
  readonly answers: Map<string, unknown>
  /** The requests for changes, in their order. */
  readonly posts: { readonly path: string; readonly token: string | undefined; readonly body: unknown }[]
  /** Sends an event to all pages. */
  send(event: 'runs' | 'run' | 'sweep', data: unknown): void
  /** The number of pages that are listening. */
  listeners(): number
  close(): Promise<void>
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export async function pageServer(
  folder: string,
  given: Readonly<Record<string, unknown>>,
): Promise<PageServer> {
  const answers = new Map(Object.entries(given))
  const posts: PageServer['posts'] = []
  const listening = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/').slice(1)
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const missing: Failure = { error: `No answer for ${path}.`, remedy: 'Give the test one.' }
    const answer = () => {
      if (answers.has(path)) json(200, answers.get(path))
      else json(404, missing)
    }
    if (path === 'api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
      listening.add(response)
      request.on('close', () => listening.delete(response))
    } else if (request.method === 'POST') {
      const chunks: Buffer[] = []
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const token = request.headers['x-zeroshift-token']
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
          posts.push({ path, token: typeof token === 'string' ? token : undefined, body })
          answer()
        })
    } else if (path.startsWith('api/')) {
      answer()
    } else {
      const name = path === '' ? 'index.html' : path
      const type = types[extname(name)]
      if (type === undefined || name.includes('/')) response.writeHead(404).end()
      else
        response
          .writeHead(200, { 'content-type': type, 'content-security-policy': POLICY })
          .end(readFileSync(join(folder, name)))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    answers,
    posts,
    send(event, data) {
      for (const response of listening) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    listeners: () => listening.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
