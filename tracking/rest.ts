import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { Agent, request } from 'undici'
import { errorMessage, UserError } from '../common/errors.ts'
import { secretOf } from '../common/secret.ts'
import { guardedLookup, isLoopback, refuseMetadata } from '../sources/address.ts'

/** Calls of MLflow's REST API, with credentials, retries and errors that say what to do. */

export interface RestOptions {
  /** Milliseconds before the first retry. The pause doubles each time and has a random length. */
  readonly retryAfter?: number
  readonly retries?: number
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Call {
  readonly method: Method
  /** The path after the address of the server, with its query: `api/2.0/mlflow/runs/get?…`. */
  readonly path: string
  /** Text in JSON, or the bytes of a file. */
  readonly body?: string | Uint8Array
  /** Error codes for which the call returns undefined instead of throwing. */
  readonly expected?: readonly string[]
}

/** The time limit for a connection. */
const connectMs = 2_000
/**
 * The time limit for a response: longer than the 20 s that MLflow waits for a locked SQLite file.
 */
const answerMs = 30_000
/** The longest pause that the server may request. For a longer one, the call fails. */
const longestPauseMs = 30_000

const agent = new Agent({
  connect: { timeout: connectMs, lookup: guardedLookup(undefined, { mayBeHere: true }) },
  headersTimeout: answerMs,
  bodyTimeout: answerMs,
})

export class Rest {
  /** The address of the server with its path, without credentials. */
  readonly address: string
  private readonly authorization: string | undefined
  private readonly options: Required<RestOptions>

  /**
   * Credentials come from the URL, or else from MLFLOW_TRACKING_USERNAME and _PASSWORD, or else
   * from MLFLOW_TRACKING_TOKEN, in the order of MLflow's own client. Each of the three may be in a
   * file that MLFLOW_TRACKING_…_FILE names. Throws a UserError if `uri` is not a URL.
   */
  constructor(uri: string, { retryAfter = 500, retries = 5 }: RestOptions = {}) {
    const url = parseUrl(uri)
    this.authorization = authorizationOf(url)
    if (this.authorization !== undefined) refusePlain(url)
    this.address = `${url.origin}${url.pathname.replace(/\/*$/, '')}`
    this.options = { retryAfter, retries }
  }

  /**
   * Repeats work while the server cannot be reached or is overloaded, with growing pauses of random
   * length or those that the server requests. `work` gets the number of the attempt, from 1. An
   * earlier attempt may have had its effect although its response was lost.
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

  /** Makes one call and returns its JSON, or undefined for one of the expected error codes. */
  async call<T>({ method, path, body, expected = [] }: Call): Promise<T | undefined> {
    const where = `MLflow at ${this.address} (${path.split('?')[0]?.replace('api/2.0/mlflow/', '')})`
    const response = await this.exchange(method, path, body).catch((error: unknown) => {
      if (error instanceof UserError) throw error
      throw new Unavailable(`${where} cannot be reached: ${errorMessage(error)}`, 0, { cause: error })
    })
    const { status, text } = response
    const answer = jsonOf<T & { error_code?: string }>(text)
    const said = text.length > 500 ? `${text.slice(0, 500)}…` : text
    if (status < 300) {
      if (answer !== undefined) return answer
      // The response to an upload is empty.
      if (text === '' && method === 'PUT') return undefined
      throw new Error(`${where} answered with what is not JSON; is it an MLflow server? It says: ${said}`)
    }
    if (answer?.error_code !== undefined && expected.includes(answer.error_code)) return undefined
    const message = `${where} answered ${status}: ${said}`
    if (status === 401 || status === 403)
      throw new UserError(
        `${message}. Check the credentials: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`,
      )
    // MLflow also answers 400 if its database has no free connection, or if it still writes the
    // points of an earlier call that timed out. A retry then finds these points and keeps them
    // once.
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
      // Allows for a transfer of 100 kB a second.
      ...(isFile && { headersTimeout: answerMs + body.length / 100 }),
    })
    const text = await response.body.text()
    return { status: response.statusCode, text, pauseMs: pauseOf(response.headers['retry-after']) }
  }
}

/** The server cannot be reached or is overloaded. The same call may succeed later. */
class Unavailable extends Error {
  /** The pause in milliseconds that the server requested, or 0. */
  readonly pauseMs: number

  constructor(message: string, pauseMs: number, options?: ErrorOptions) {
    super(message, options)
    this.pauseMs = pauseMs
  }
}

/** The pause of a Retry-After header, which is in seconds or a date, in milliseconds. */
function pauseOf(header: string | string[] | undefined): number {
  if (typeof header !== 'string') return 0
  const milliseconds = /^\d+$/.test(header) ? 1000 * Number(header) : Date.parse(header) - Date.now()
  return milliseconds > 0 ? milliseconds : 0
}

/** Parses a URL. The error of Node would repeat the whole text, credentials included. */
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

/** Throws a UserError for a connection to another machine that is not encrypted. */
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

/** A text with %XX decoded, or the text itself if a % in it is no escape sequence. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function jsonOf<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
