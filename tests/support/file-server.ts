import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { serving } from './serving.ts'

export interface Served {
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface ServedFile {
  readonly content: Buffer
  /** The SHA-1 of the content unless given; null for none. */
  readonly etag?: string | null
}

/**
 * A fault of one request. Without one, the answer is the file, the part of it that was asked for,
 * or 404.
 */
export interface ServerFault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** The connection ends after so many bytes of the body. */
  readonly cutAfter?: number
  /** The pause before each tenth of the body. */
  readonly pauseMs?: number
  /** The whole file comes, whatever range was asked for. */
  readonly ignoreRange?: boolean
}

/** A plain HTTP server of files that knows ranges, and can fail. */
export async function fileServer(files = new Map<string, ServedFile>()) {
  const requests: Served[] = []
  let faultOf: (served: Served, number: number) => ServerFault | undefined = () => undefined
  const { url, close } = await serving((request, response) => {
    const path = request.url ?? ''
    const served = { path, headers: request.headers }
    requests.push(served)
    const fault = faultOf(served, requests.length - 1) ?? {}
    send(response, served, files.get(path.split('?')[0] ?? ''), fault).catch(() => response.destroy())
  })
  return {
    url,
    files,
    /** In the order in which they came. */
    requests,
    failing(next: typeof faultOf) {
      faultOf = next
    },
    close,
  }
}

async function send(
  response: ServerResponse,
  { headers }: Served,
  file: ServedFile | undefined,
  fault: ServerFault,
): Promise<void> {
  const { content, etag = tagOf(content) } = file ?? { content: Buffer.from('no such file'), etag: null }
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const condition = headers['if-range']
  const isRange = from > 0 && !fault.ignoreRange && (condition === undefined || condition === etag)
  const isBeyond = isRange && from >= content.length
  const status = fault.status ?? (file ? (isBeyond ? 416 : isRange ? 206 : 200) : 404)
  const whole =
    fault.body ?? (status === 416 ? Buffer.alloc(0) : status === 206 ? content.subarray(from) : content)
  response.writeHead(status, {
    'content-length': whole.length,
    ...(etag !== null && { etag }),
    ...(status === 206 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    ...fault.headers,
  })
  const cut = fault.cutAfter ?? Infinity
  const piece = Math.max(1, Math.ceil(whole.length / 10))
  for (let at = 0; at < whole.length; at += piece) {
    if (fault.pauseMs !== undefined) await new Promise((done) => setTimeout(done, fault.pauseMs))
    const part = whole.subarray(at, Math.min(at + piece, cut))
    if (part.length > 0) await new Promise((done) => response.write(part, done))
    if (at + piece >= cut) {
      // The wait lets the client read what was written before it sees the end.
      await new Promise((done) => setTimeout(done, 150))
      response.socket?.end()
      return
    }
  }
  response.end()
}

const tagOf = (content: Buffer) => `"${createHash('sha1').update(content).digest('hex')}"`
