import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { serving } from './serving.ts'

/** A fault of one request. Without one, the request is passed on. */
export interface Fault {
  readonly delayMs?: number
  /** Answered in the server's place. */
  readonly answer?: { readonly status: number; readonly code: string }
  /** The server does what was asked, and its answer is lost. */
  readonly lose?: boolean
  /** The connection ends in the middle of the answer's body. */
  readonly cut?: boolean
  /** One bit of the answer's body is another one. */
  readonly flip?: boolean
  /** No answer ever comes. */
  readonly hang?: boolean
}

export interface AskedRequest {
  /** Counts from 0. */
  readonly number: number
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** An unreliable way to an S3 server over HTTP. */
export async function s3Proxy(target: string, faultOf: (asked: AskedRequest) => Fault) {
  let number = 0
  return serving((asked, answer) => {
    const { method = '', url = '', headers } = asked
    const fault = faultOf({ number: number++, method, url, headers })
    const pass = async () => {
      const body = await whole(asked)
      if (fault.delayMs !== undefined) await sleep(fault.delayMs)
      if (fault.hang) return
      if (fault.answer) {
        const { status, code } = fault.answer
        answer.writeHead(status, { 'content-type': 'application/xml' })
        answer.end(method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>as told</Message></Error>`)
        return
      }
      // The host is part of what was signed.
      const onwards = request(new URL(url, target), { method, headers: asked.headers, setHost: false })
      onwards.end(body)
      const [response] = (await once(onwards, 'response')) as [IncomingMessage]
      const answered = await whole(response)
      if (fault.lose) {
        answer.destroy()
        return
      }
      const middle = Math.floor(answered.length / 2)
      if (fault.flip) answered[middle] = (answered[middle] ?? 0) ^ 1
      answer.writeHead(response.statusCode ?? 502, response.headers)
      if (fault.cut && answered.length > 1) answer.write(answered.subarray(0, middle), () => answer.destroy())
      else answer.end(answered)
    }
    pass().catch(() => answer.destroy())
  })
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
