import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { Agent, request } from 'undici'
import { UserError } from '../common/errors.ts'
import { secretOf } from '../common/secret.ts'
import { guardedLookup, isLoopback, refuseMetadata } from '../sources/address.ts'

/** Calls of MLflow's REST API: credentials, retries, and errors that say what to do. */

export interface RestOptions {
  /** Milliseconds before the first retry; the pause doubles each time, and is of random length. */
  readonly retryAfter?: number
  readonly retries?: number
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Call {
  readonly method: Method
  /** Below the server's address, such as `api/2.0/mlflow/runs/get`, with its query. */
  readonly path: string
  /** JSON, or the bytes of a file. */
  readonly body?: string | Uint8Array
  /** Error codes that are no errors here: the call then answers undefined. */
  readonly expected?: readonly string[]
}

/** Of the connection: a server that is away is known to be within these 2 seconds. */
const connectMs = 2_000
/** Of one answer: more than the 20 s for which MLflow waits for a locked SQLite file. */
const answerMs = 30_000
/** A server that asks for a longer pause is left to whoever called. */
const longestPauseMs = 30_000

const agent = new Agent({
  connect: { timeout: connectMs, lookup: guardedLookup(undefined, { mayBeHere: true }) },
  headersTimeout: answerMs,
  bodyTimeout: answerMs,
})

export class Rest {
  /** Of the server, with its path, without credentials. */
  readonly address: string
  private readonly authorization: string | undefined
  private readonly options: Required<RestOptions>

  /**
   * Credentials come from the URL, else from MLFLOW_TRACKING_USERNAME and _PASSWORD, else from MLFLOW_TRACKING_TOKEN: the
   * order of MLflow's own client. Each of the three may be in a file, which MLFLOW_TRACKING_…_FILE then names. Throws a UserError
   * where `uri` is no URL.
   */
  constructor(uri: string, { retryAfter = 500, retries = 5 }: RestOptions = {}) {
    const url = parseUrl(uri)
    this.authorization = authorizationOf(url)
    if (this.authorization !== undefined) refusePlain(url)
    this.address = `${url.origin}${url.pathname.replace(/\/*$/, '')}`
    this.options = { retryAfter, retries }
  }

  /**
   * Repeats what a server that is away or overloaded did not do, with growing pauses of random length, or as long as the
   * server asks for. `work` is given the number of the attempt, from 1: an earlier one may have been done although its
   * answer got lost.
   */
  retried<T>(work: (attempt: number) => Promise<T>): Promise<T> {
    return pRetry(work, {
      retries: this.options.retries,
      minTimeout: this.options.retryAfter,
      maxTimeout: 10_000,
      randomize: true,
      shouldRetry: async ({ error }) => {
        if (!(error instanceof Unavailable) || error.pauseMs > longestPauseMs) return false
        await sleep(error.pauseMs)
        return true
      },
    })
  }

  /** One call, tried once; the JSON that it answers. undefined: the server answered with an error code that is expected. */
  async call<T>({ method, path, body, expected = [] }: Call): Promise<T | undefined> {
    const where = `MLflow at ${this.address} (${path.split('?')[0]?.replace('api/2.0/mlflow/', '')})`
    const response = await this.exchange(method, path, body).catch((error: unknown) => {
      if (error instanceof UserError) throw error
      throw new Unavailable(`${where} cannot be reached: ${reasonOf(error)}`, 0, { cause: error })
    })
    const { status, text } = response
    const answer = jsonOf<T & { error_code?: string }>(text)
    const said = text.length > 500 ? `${text.slice(0, 500)}…` : text
    if (status < 300) {
      if (answer !== undefined) return answer
      // An upload is answered with nothing.
      if (text === '' && method === 'PUT') return undefined
      throw new Error(`${where} answered with what is not JSON; is it an MLflow server? It says: ${said}`)
    }
    if (answer?.error_code !== undefined && expected.includes(answer.error_code)) return undefined
    const message = `${where} answered ${status}: ${said}`
    if (status === 401 || status === 403)
      throw new UserError(
        `${message}. Check the credentials: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`,
      )
    // MLflow answers 400 where its own database has no connection left, and where it still writes what a call brought that
    // was given up for lack of an answer: asked again, it finds the points and keeps them once.
    const isOverloaded =
      status === 400 &&
      (text.includes('QueuePool limit') || text.includes('UNIQUE constraint failed: metrics'))
    throw status === 408 || status === 429 || status >= 500 || isOverloaded
      ? new Unavailable(message, response.pauseMs)
      : new Error(message)
  }

  private async exchange(method: Method, path: string, body: string | Uint8Array | undefined) {
    const isFile = body instanceof Uint8Array
    const response = await request(`${this.address}/${path}`, {
      dispatcher: agent,
      method,
      headers: {
        'content-type': isFile ? 'application/octet-stream' : 'application/json',
        ...(this.authorization !== undefined && { authorization: this.authorization }),
      },
      ...(body !== undefined && { body }),
      // At 100 kB a second, at least.
      ...(isFile && { headersTimeout: answerMs + body.length / 100 }),
    })
    const text = await response.body.text()
    return { status: response.statusCode, text, pauseMs: pauseOf(response.headers['retry-after']) }
  }
}

/** The server is away or overloaded: the same call may succeed later. */
class Unavailable extends Error {
  /** Milliseconds for which the server asked to be left alone; 0 where it did not. */
  readonly pauseMs: number

  constructor(message: string, pauseMs: number, options?: ErrorOptions) {
    super(message, options)
    this.pauseMs = pauseMs
  }
}

/** Of a Retry-After header: seconds, or a date. */
function pauseOf(header: string | string[] | undefined): number {
  if (typeof header !== 'string') return 0
  const milliseconds = /^\d+$/.test(header) ? 1000 * Number(header) : Date.parse(header) - Date.now()
  return milliseconds > 0 ? milliseconds : 0
}

/** Its own error, since Node's repeats the whole text, credentials included. */
function parseUrl(uri: string): URL {
  if (URL.canParse(uri)) {
    const url = new URL(uri)
    if (url.protocol === 'http:' || url.protocol === 'https:') {
      refuseMetadata(url)
      return url
    }
  }
  throw new UserError(
    'the address of the MLflow server is not a URL; expected http:// or https:// and a host',
  )
}

/**
 * Credentials go over a connection that others can read to this machine alone. Throws a UserError.
 */
function refusePlain(url: URL): void {
  if (url.protocol === 'https:' || isLoopback(url)) return
  throw new UserError(
    `MLflow's credentials would go to ${url.origin} over a connection that is not encrypted, for all to read; expected https://, ` +
      'or unset MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN',
  )
}

function authorizationOf({ username, password }: URL): string | undefined {
  const basic = (name: string, word: string) => `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`
  if (username) return basic(decoded(username), decoded(password))
  const [user, word, token] = [
    'MLFLOW_TRACKING_USERNAME',
    'MLFLOW_TRACKING_PASSWORD',
    'MLFLOW_TRACKING_TOKEN',
  ].map((name) => secretOf(name))
  if (user && word) return basic(user, word)
  return token ? `Bearer ${token}` : undefined
}

/** What a URL means by %XX, or the text itself where a % is only a %. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Where a host has several addresses and none answers, there is a code but no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}

function jsonOf<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
