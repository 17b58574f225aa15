import pRetry, { AbortError } from 'p-retry'
import { request } from 'undici'

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

/** Marks a run as the one that a client means, whoever created it. */
const idempotencyTag = 'zeroshift.key'

export interface MlflowOptions {
  /** Pause before the first retry, in milliseconds; it doubles each time. */
  readonly retryAfter?: number
  readonly retries?: number
}

export class MlflowClient {
  private readonly base: URL
  private readonly authorization: string | undefined
  private readonly options: Required<MlflowOptions>

  /** Credentials come from the URL, else from MLFLOW_TRACKING_TOKEN, else MLFLOW_TRACKING_USERNAME and _PASSWORD. */
  constructor(uri: string, { retryAfter = 500, retries = 5 }: MlflowOptions = {}) {
    this.base = new URL(uri)
    this.authorization = authorizationOf(this.base)
    this.base.username = ''
    this.base.password = ''
    this.options = { retryAfter, retries }
  }

  /** The id of the experiment of this name, made when there is none. */
  async experiment(name: string): Promise<string> {
    const query = new URLSearchParams({ experiment_name: name })
    const find = async () => {
      const found = await this.call<{ experiment?: { experiment_id: string } }>(
        'GET',
        `experiments/get-by-name?${query.toString()}`,
        undefined,
        ['RESOURCE_DOES_NOT_EXIST'],
      )
      return found?.experiment?.experiment_id
    }
    const known = await find()
    if (known !== undefined) return known
    const made = await this.call<{ experiment_id: string }>('POST', 'experiments/create', { name }, [
      'RESOURCE_ALREADY_EXISTS',
    ])
    const id = made?.experiment_id ?? (await find())
    if (id === undefined)
      throw new Error(`MLflow at ${this.base.href} has no experiment "${name}" and did not make one`)
    return id
  }

  /** The id of the run with this key in the experiment, made when there is none. */
  async run(
    experiment: string,
    { key, name, startTime, tags = {} }: { key: string; name: string; startTime: number; tags?: Strings },
  ): Promise<string> {
    const filter = `tags.\`${idempotencyTag}\` = '${key.replaceAll("'", '')}'`
    const { runs = [] } = await this.answer<{ runs?: { info: { run_id: string } }[] }>('runs/search', {
      experiment_ids: [experiment],
      filter,
      max_results: 1,
    })
    const [known] = runs
    if (known) return known.info.run_id
    const { run } = await this.answer<{ run: { info: { run_id: string } } }>('runs/create', {
      experiment_id: experiment,
      run_name: name,
      start_time: startTime,
      tags: entries({ ...tags, [idempotencyTag]: key }, limits.tagValue),
    })
    return run.info.run_id
  }

  /** Logs any number of points, parameters and tags, in calls that the server accepts. */
  async log(
    run: string,
    {
      metrics = [],
      params = {},
      tags = {},
    }: { metrics?: readonly Metric[]; params?: Strings; tags?: Strings },
  ): Promise<void> {
    for (const { key } of metrics) checkName(key)
    const batches = [
      ...chunks(entries(params, limits.paramValue), limits.params).map((some) => ({ params: some })),
      ...chunks(entries(tags, limits.tagValue), limits.tags).map((some) => ({ tags: some })),
      ...chunks(metrics, limits.metrics).map((some) => ({ metrics: some })),
    ]
    for (const batch of batches) await this.answer('runs/log-batch', { run_id: run, ...batch })
  }

  async end(run: string, status: RunStatus, endTime: number): Promise<void> {
    await this.answer('runs/update', { run_id: run, status, end_time: endTime })
  }

  private async answer<T>(path: string, body: unknown): Promise<T> {
    return (await this.call<T>('POST', path, body)) as T
  }

  /** One call, repeated while the server is away or overloaded. undefined: it answered with an error code in `expected`. */
  private async call<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    expected: readonly string[] = [],
  ): Promise<T | undefined> {
    const url = new URL(
      `api/2.0/mlflow/${path}`,
      this.base.href.endsWith('/') ? this.base : `${this.base.href}/`,
    )
    const where = `MLflow at ${this.base.origin} (${path.split('?')[0]})`
    const attempt = async (): Promise<T | undefined> => {
      const response = await request(url, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(this.authorization !== undefined && { authorization: this.authorization }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headersTimeout: 30_000,
        bodyTimeout: 30_000,
      })
      const text = await response.body.text()
      if (response.statusCode < 300) return JSON.parse(text) as T
      const code = errorCode(text)
      if (code !== undefined && expected.includes(code)) return undefined
      const message = `${where} answered ${response.statusCode}: ${text.slice(0, 500)}`
      if (response.statusCode === 401 || response.statusCode === 403) {
        throw new AbortError(
          `${message}. Check MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`,
        )
      }
      const passing = response.statusCode === 408 || response.statusCode === 429 || response.statusCode >= 500
      if (!passing) throw new AbortError(message)
      throw new Error(message)
    }
    const retry = {
      retries: this.options.retries,
      minTimeout: this.options.retryAfter,
      maxTimeout: 10_000,
      randomize: true,
    }
    return pRetry(() => attempt().catch((error: unknown) => Promise.reject(explained(error, where))), retry)
  }
}

/** An error that says which server and call it was, whatever went wrong on the way there. */
function explained(error: unknown, where: string): Error {
  if (error instanceof Error && error.message.startsWith(where)) return error
  const reason = error instanceof Error ? error.message || error.name : String(error)
  return new Error(`${where} cannot be reached: ${reason}`, { cause: error })
}

function authorizationOf({ username, password }: URL): string | undefined {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: secret,
  } = process.env
  const basic = (name: string, word: string) => `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`
  if (username) return basic(decodeURIComponent(username), decodeURIComponent(password))
  if (token) return `Bearer ${token}`
  if (user) return basic(user, secret ?? '')
  return undefined
}

/** Names as the server accepts them: letters, digits and _ - . space : /, and no path tricks. */
function checkName(name: string): void {
  const path = name.split('/')
  if (
    !/^[\w\-. :/]+$/.test(name) ||
    name.length > limits.key ||
    path.some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw new RangeError(
      `MLflow does not accept the name ${JSON.stringify(name)}: expected at most ${limits.key} letters, digits, spaces and _ - . : /`,
    )
  }
}

function entries(strings: Strings, longest: number): { key: string; value: string }[] {
  return Object.entries(strings).map(([key, value]) => {
    checkName(key)
    return { key, value: value.length > longest ? `${value.slice(0, longest - 1)}…` : value }
  })
}

/** Pieces of at most `count` items, and of fewer bytes than one call may have. */
function chunks<T>(items: readonly T[], count: number): T[][] {
  const result: T[][] = []
  let bytes = 0
  for (const item of items) {
    const size = JSON.stringify(item).length + 1
    const last = result.at(-1)
    if (!last || last.length >= count || bytes + size > limits.bytes * 0.9) {
      result.push([item])
      bytes = size
    } else {
      last.push(item)
      bytes += size
    }
  }
  return result
}

function errorCode(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error_code?: string }).error_code
  } catch {
    return undefined
  }
}
