import type { Readable } from 'node:stream'
import { EnvHttpProxyAgent, request } from 'undici'
import { errorMessage, UserError } from '../common/errors.ts'
import { guardedLookup, isLoopback, refuseHost } from './address.ts'

/** The server cannot be reached or does not answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

export interface Answer {
  readonly url: URL
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** The bytes as they were sent, in any encoding. The caller reads or destroys it. */
  readonly body: Readable
}

const REDIRECTS = [301, 302, 303, 307, 308]
const MOST_REDIRECTS = 10

const agent = new EnvHttpProxyAgent({
  connect: { lookup: guardedLookup(), timeout: 15_000 },
  headersTimeout: 30_000,
  // The longest silence of a server while it sends a body.
  bodyTimeout: 30_000,
})

/**
 * Requests a URL and follows redirects. Every hop is checked like the first one, and only the first
 * origin gets the token. Throws an Unreachable if no response comes, and a UserError for an address
 * that is not allowed.
 */
export async function ask(
  address: string | URL,
  { headers = {}, token }: { headers?: Readonly<Record<string, string>>; token?: string | undefined } = {},
): Promise<Answer> {
  const first = new URL(address)
  let url = first
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    refuseHost(url)
    if (isLoopback(url) && !isLoopback(first))
      throw new UserError(
        `${first.origin} leads to ${url.origin}, this machine itself; expected a public host`,
      )
    const answer = await askOnce(url, {
      'accept-encoding': 'identity',
      ...headers,
      ...(token !== undefined && url.origin === first.origin && { authorization: `Bearer ${token}` }),
    })
    const location = answer.headers.get('location')
    if (!REDIRECTS.includes(answer.status) || location === undefined) return answer
    answer.body.resume()
    if (!URL.canParse(location, url.href))
      throw new UserError(`${url.origin} leads to "${location}", which is no URL`)
    url = new URL(location, url)
  }
  throw new UserError(
    `${first.origin}${first.pathname} leads from one place to the next ${MOST_REDIRECTS} times; expected a file`,
  )
}

async function askOnce(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
  try {
    const answer = await request(url, { headers, dispatcher: agent })
    return {
      url,
      status: answer.statusCode,
      headers: new Map(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      body: answer.body,
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new Unreachable(`${url.origin} does not answer: ${errorMessage(error)}`)
  }
}
