import pRetry from 'p-retry'
import { request } from 'undici'
import { UserError } from '../experiment/errors.ts'

/**
 * MLflow's tracking API, version 2.0 over REST: what an experiment tracker needs of it. Every call may be repeated without
 * doubling anything: runs are found again by a tag, parameters and tags are set, and the server keeps one of two
 * metric points that are equal in key, value, timestamp and step, so timestamps are the caller's, never the clock's.
 */
export interface Metric {
  readonly key: string
  readonly value: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly step: number
}

export type Strings = Readonly<Record<string, string>>

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED'

/** The server's limits on one call, and on names and values. */
const limits = {
  metrics: 1000,
  params: 100,
  tags: 100,
  bytes: 1_000_000,
  key: 250,
  paramValue: 6000,
  tagValue: 5000,
}

/** Bytes of a call beside its items: the run's id and the names of the lists. */
const overhead = 1000

/** Marks a run as the one that a client means, whoever created it. */
const idempotencyTag = 'zeroshift.key'

export interface MlflowOptions {
  /** Pause before the first retry, in milliseconds; it doubles each time. */
  readonly retryAfter?: number
  readonly retries?: number
}

export class MlflowClient {
  /** Of the REST API, without credentials. */
  private readonly base: URL
  private readonly authorization: string | undefined
  private readonly options: Required<MlflowOptions>

  /**
   * Credentials come from the URL, else from MLFLOW_TRACKING_USERNAME and _PASSWORD, else from MLFLOW_TRACKING_TOKEN: the
   * order of MLflow's own client. Throws a UserError where `uri` is no URL.
   */
  constructor(uri: string, { retryAfter = 500, retries = 5 }: MlflowOptions = {}) {
    const url = parseUrl(uri)
    this.authorization = authorizationOf(url)
    this.base = new URL(`${url.origin}${url.pathname.replace(/\/*$/, '/')}api/2.0/mlflow/`)
    this.options = { retryAfter, retries }
  }

  /** The id of the experiment of this name, made when there is none. Throws a UserError where it was deleted. */
  async experiment(name: string): Promise<string> {
    const query = new URLSearchParams({ experiment_name: name })
    const find = async () => {
      const found = await this.call<{ experiment: { experiment_id: string; lifecycle_stage?: string } }>(
        'GET',
        `experiments/get-by-name?${query.toString()}`,
        undefined,
        'RESOURCE_DOES_NOT_EXIST',
      )
      if (found?.experiment.lifecycle_stage === 'deleted')
        throw new UserError(
          `the experiment "${name}" was deleted on MLflow at ${this.base.origin}; restore it there, or name another one in tracking.experiment`,
        )
      return found?.experiment.experiment_id
    }
    return this.retried(async () => {
      const known = await find()
      if (known !== undefined) return known
      const made = await this.call<{ experiment_id: string }>(
        'POST',
        'experiments/create',
        { name },
        'RESOURCE_ALREADY_EXISTS',
      )
      const id = made?.experiment_id ?? (await find())
      if (id === undefined)
        throw new Error(`MLflow at ${this.base.origin} has no experiment "${name}" and does not make one`)
      return id
    })
  }

  /**
   * The id of the run with this key in the experiment, made when there is none. A retry looks for it again: the server
   * may have made it although its answer got lost.
   */
  async run(
    experiment: string,
    { key, name, startTime, tags = {} }: { key: string; name: string; startTime: number; tags?: Strings },
  ): Promise<string> {
    if (key.includes("'")) throw new RangeError(`the key ${key} has a quote, which a search cannot hold`)
    const marked = entries({ ...tags, [idempotencyTag]: key }, limits.tagValue)
    return this.retried(async () => {
      const found = await this.call<{ runs?: { info: { run_id: string } }[] }>('POST', 'runs/search', {
        experiment_ids: [experiment],
        filter: `tags.\`${idempotencyTag}\` = '${key}'`,
        max_results: 1,
      })
      const known = found?.runs?.[0]
      if (known) return known.info.run_id
      const made = await this.call<{ run: { info: { run_id: string } } }>('POST', 'runs/create', {
        experiment_id: experiment,
        run_name: name,
        start_time: startTime,
        tags: marked,
      })
      if (!made) throw new Error(`MLflow at ${this.base.origin} made no run "${name}"`)
      return made.run.info.run_id
    })
  }

  /**
   * Logs any number of points, parameters and tags, in calls that the server accepts. Longer values are cut, with an
   * ellipsis; a name or a number that the server would refuse is a RangeError, before anything is sent.
   */
  async log(
    run: string,
    {
      metrics = [],
      params = {},
      tags = {},
    }: { metrics?: readonly Metric[]; params?: Strings; tags?: Strings },
  ): Promise<void> {
    for (const metric of metrics) checkMetric(metric)
    const batches = [
      ...chunks(entries(params, limits.paramValue), limits.params).map((some) => ({ params: some })),
      ...chunks(entries(tags, limits.tagValue), limits.tags).map((some) => ({ tags: some })),
      ...chunks(metrics, limits.metrics).map((some) => ({ metrics: some })),
    ]
    for (const batch of batches) await this.send('runs/log-batch', { run_id: run, ...batch })
  }

  async end(run: string, status: RunStatus, endTime: number): Promise<void> {
    await this.send('runs/update', { run_id: run, status, end_time: endTime })
  }

  private async send(path: string, body: unknown): Promise<void> {
    await this.retried(() => this.call('POST', path, body))
  }

  /** Repeats what a server that is away or overloaded did not do, with growing pauses of random length. */
  private retried<T>(work: () => Promise<T>): Promise<T> {
    return pRetry(work, {
      retries: this.options.retries,
      minTimeout: this.options.retryAfter,
      maxTimeout: 10_000,
      randomize: true,
      shouldRetry: ({ error }) => error instanceof Unavailable,
    })
  }

  /** One call. undefined: the server answered with the error code `expected`. */
  private async call<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    expected?: string,
  ): Promise<T | undefined> {
    const where = `MLflow at ${this.base.origin} (${path.split('?')[0]})`
    const { status, text } = await this.exchange(method, new URL(path, this.base), body).catch(
      (error: unknown) => {
        throw new Unavailable(`${where} cannot be reached: ${reasonOf(error)}`, { cause: error })
      },
    )
    const answer = jsonOf<T & { error_code?: string }>(text)
    const said = text.length > 500 ? `${text.slice(0, 500)}…` : text
    if (status < 300) {
      if (answer === undefined)
        throw new Error(`${where} answered with what is not JSON; is it an MLflow server? It says: ${said}`)
      return answer
    }
    if (expected !== undefined && answer?.error_code === expected) return undefined
    const message = `${where} answered ${status}: ${said}`
    if (status === 401 || status === 403)
      throw new UserError(
        `${message}. Check the credentials: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`,
      )
    throw status === 408 || status === 429 || status >= 500 ? new Unavailable(message) : new Error(message)
  }

  private async exchange(method: 'GET' | 'POST', url: URL, body: unknown) {
    const response = await request(url, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.authorization !== undefined && { authorization: this.authorization }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
    })
    return { status: response.statusCode, text: await response.body.text() }
  }
}

/** The server is away or overloaded: the same call may succeed later. */
class Unavailable extends Error {}

/** Its own error, since Node's repeats the whole text, credentials included. */
function parseUrl(uri: string): URL {
  if (URL.canParse(uri)) {
    const url = new URL(uri)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url
  }
  throw new UserError(
    'the address of the MLflow server is not a URL; expected http:// or https:// and a host',
  )
}

function authorizationOf({ username, password }: URL): string | undefined {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: secret,
  } = process.env
  const basic = (name: string, word: string) => `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`
  if (username) return basic(decoded(username), decoded(password))
  if (user && secret) return basic(user, secret)
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

/** Names as the server accepts them: also, a path that means itself, since some servers keep files of these names. */
function checkName(name: string): void {
  const isPath = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!/^[\w\-. :/]+$/.test(name) || name.length > limits.key || !isPath || name.startsWith('..'))
    throw new RangeError(
      `MLflow does not accept the name ${JSON.stringify(name)}: expected at most ${limits.key} of A to Z, a to z, digits, spaces and _ - . : /`,
    )
}

function checkMetric({ key, value, timestamp, step }: Metric): void {
  checkName(key)
  if (!Number.isFinite(value) || !Number.isSafeInteger(timestamp) || !Number.isSafeInteger(step))
    throw new RangeError(
      `the metric "${key}" is ${value} at step ${step} and time ${timestamp}: expected a finite value and whole numbers`,
    )
}

function entries(strings: Strings, longest: number): { key: string; value: string }[] {
  return Object.entries(strings).map(([key, value]) => {
    checkName(key)
    return { key, value: shortened(value, longest) }
  })
}

/** Cut between characters: half a surrogate pair is no text to a database. */
function shortened(value: string, longest: number): string {
  if (value.length <= longest) return value
  const cut = value.slice(0, longest - 1)
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

/** Pieces of at most `count` items, and of fewer bytes than one call may have. */
function chunks<T>(items: readonly T[], count: number): T[][] {
  const result: T[][] = []
  let bytes = 0
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    const last = result.at(-1)
    if (!last || last.length >= count || bytes + size > limits.bytes - overhead) {
      result.push([item])
      bytes = size
    } else {
      last.push(item)
      bytes += size
    }
  }
  return result
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
