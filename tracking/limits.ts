import { sha256 } from '../common/canonical.ts'

/** The limits of MLflow's server for one call and for names and values. */
export const limits = {
  metrics: 1000,
  params: 100,
  tags: 100,
  /** The number of metrics, parameters and tags together. */
  items: 1000,
  bytes: 1_000_000,
  key: 250,
  paramValue: 6000,
  tagValue: 5000,
  datasetDigest: 36,
} as const

export interface Metric {
  readonly key: string
  readonly value: number
  /** The time of the measurement, not that of the sending, in milliseconds since 1970. */
  readonly timestamp: number
  readonly step: number
}

export type Strings = Readonly<Record<string, string>>

/**
 * Throws a RangeError if the server does not accept a name. Some servers use names as the paths of
 * files, so that a name must not have empty parts, `.` or `..`.
 */
export function checkName(name: string): void {
  const isPath = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!/^[\w\-. :/]+$/.test(name) || name.length > limits.key || !isPath || name.startsWith('..'))
    throw new RangeError(
      `MLflow does not accept the name ${JSON.stringify(name)}: expected at most ${limits.key} of A to Z, a to z, digits, spaces and _ - . : /`,
    )
}

/** Throws a RangeError if the server does not accept a point. */
export function checkMetric({ key, value, timestamp, step }: Metric): void {
  checkName(key)
  if (!Number.isFinite(value) || !Number.isSafeInteger(timestamp) || !Number.isSafeInteger(step))
    throw new RangeError(
      `the metric "${key}" is ${value} at step ${step} and time ${timestamp}: expected a finite value and whole numbers`,
    )
}

/**
 * Converts a name to one that the server accepts: `methods[0].rank` becomes `methods.0.rank`. Any
 * other character that the server does not accept becomes `_`.
 */
export function fittedName(name: string): string {
  return name
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .replaceAll(/[^\w\-. :]/g, '_')
    .slice(0, limits.key)
}

/**
 * Cuts the values of parameters and tags to the length that the server accepts. A value that was
 * cut ends with an ellipsis, and the SHA-256 of the whole value is in the tag `sha256.<name>`.
 */
export function fitted(params: Strings, tags: Strings): { readonly params: Strings; readonly tags: Strings } {
  const hashes: Record<string, string> = {}
  const fit = (strings: Strings, longest: number) =>
    Object.fromEntries(
      Object.entries(strings).map(([key, value]) => {
        if (value.length <= longest) return [key, value]
        const name = `sha256.${key}`
        hashes[name.length <= limits.key ? name : `sha256.${sha256(key)}`] = sha256(value)
        return [key, shortened(value, longest)]
      }),
    )
  const [shortParams, shortTags] = [fit(params, limits.paramValue), fit(tags, limits.tagValue)]
  return { params: shortParams, tags: { ...hashes, ...shortTags } }
}

/** Cuts a text between characters, because databases refuse half of a surrogate pair. */
export function shortened(value: string, longest: number): string {
  if (value.length <= longest) return value
  const cut = value.slice(0, longest - 1)
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

/** One call of `runs/log-batch`: its items as JSON, and its points as values. */
export interface Batch {
  readonly params: readonly string[]
  readonly tags: readonly string[]
  readonly metrics: readonly string[]
  readonly points: readonly Metric[]
}

type List = 'params' | 'tags' | 'metrics'

/** The bytes of a call besides its items: the id of the run and the names of the lists. */
const overhead = 1000

/**
 * Divides parameters, tags and points, in this order, into calls that the server accepts. Throws a
 * RangeError if the server does not accept a name, a number or the length of a value.
 */
export function batches({
  params = {},
  tags = {},
  metrics = [],
}: {
  readonly params?: Strings
  readonly tags?: Strings
  readonly metrics?: readonly Metric[]
}): Batch[] {
  const result: Record<List | 'points', unknown[]>[] = []
  let bytes = 0
  const add = (list: List, item: object, point?: Metric) => {
    const json = JSON.stringify(item)
    const size = Buffer.byteLength(json) + 1
    let last = result.at(-1)
    const isFull =
      !last ||
      last[list].length >= limits[list] ||
      last.params.length + last.tags.length + last.metrics.length >= limits.items ||
      bytes + size > limits.bytes - overhead
    if (!last || isFull) {
      last = { params: [], tags: [], metrics: [], points: [] }
      result.push(last)
      bytes = 0
    }
    last[list].push(json)
    if (point) last.points.push(point)
    bytes += size
  }
  const text = (list: 'params' | 'tags', strings: Strings, longest: number) => {
    for (const [key, value] of Object.entries(strings)) {
      checkName(key)
      if (value.length > longest)
        throw new RangeError(`the value of "${key}" has ${value.length} characters; MLflow takes ${longest}`)
      add(list, { key, value })
    }
  }
  text('params', params, limits.paramValue)
  text('tags', tags, limits.tagValue)
  for (const metric of metrics) {
    checkMetric(metric)
    const { key, value, timestamp, step } = metric
    add('metrics', { key, value, timestamp, step }, metric)
  }
  return result as unknown as Batch[]
}

/**
 * Divides points into at most `count` groups of similar size. All points of a key are in the same
 * group, so that they arrive in their order even if groups are sent at the same time.
 */
export function lanes(metrics: readonly Metric[], count: number): Metric[][] {
  const keys = new Map<string, Metric[]>()
  for (const metric of metrics) {
    const points = keys.get(metric.key)
    if (points) points.push(metric)
    else keys.set(metric.key, [metric])
  }
  const result = Array.from({ length: Math.min(count, keys.size) }, (): Metric[][] => [])
  const load = result.map(() => 0)
  for (const points of [...keys.values()].sort((a, b) => b.length - a.length)) {
    const least = load.indexOf(Math.min(...load))
    result[least]?.push(points)
    load[least] = (load[least] ?? 0) + points.length
  }
  return result.map((lane) => lane.flat())
}
