import { grouped } from '../common/counted.ts'
import { metricColumns, type Figure, type MetricName } from '../experiment/records/results.ts'

/** Numbers for people. Nothing here asks the locale. */

/** `97.58`: percentages and points, without their sign. */
export function percent(value: number): string {
  return minus(zero(value.toFixed(2)))
}

/** `+0.40`, `−1.25`, `0.00`: a difference, in points unless it has other decimals. */
export function signed(value: number, decimals = 2): string {
  const text = zero(value.toFixed(decimals))
  return Number(text) > 0 ? `+${text}` : minus(text)
}

/** Three significant digits: `0.0190`, `1.00`, `12.3`, `1,230`, `1.23 × 10⁻⁷`. */
export function significant(value: number): string {
  if (value === 0) return '0'
  const [mantissa = '', exponent = ''] = value.toExponential(2).split('e')
  const power = Number(exponent)
  if (power < -4 || power > 8) return minus(`${mantissa} × 10${superscript(power)}`)
  const rounded = Number(value.toExponential(2))
  return minus(power >= 3 ? grouped(rounded) : rounded.toFixed(Math.max(0, 2 - power)))
}

/** A metric's figure as text, by its unit. */
export function figure(name: MetricName, value: number): string {
  const { unit } = metricColumns[name]
  return unit === '%' || unit === 'points' ? percent(value) : significant(value)
}

type Value = Pick<Extract<Figure, { value: number }>, 'value' | 'interval' | 'between'>

/**
 * The figure in another unit, its interval with it: a share times 100 is a percentage. A figure is
 * scaled before it is written. A function that scales while it writes would scale the value alone,
 * since the interval's decimals follow the value's.
 */
export function scaled({ value, interval, between }: Value, factor: number): Value {
  return {
    value: value * factor,
    ...(interval !== undefined && { interval: interval * factor }),
    ...(between && { between: [between[0] * factor, between[1] * factor] as const }),
  }
}

/**
 * `12.34 ± 0.56`, `12.34 (2.10 – 91.00)`: a mean over seeds with its 95% interval. `write` never
 * scales.
 */
export function withInterval(figure: Value, write: (value: number) => string): string {
  const interval = intervalText(figure, write)
  return interval === undefined ? write(figure.value) : `${write(figure.value)} ${interval}`
}

/** `± 0.56`, or `(2.10 – 91.00)` where it is not symmetric; undefined where there is none. */
export function intervalText(figure: Value, write: (value: number) => string): string | undefined {
  const { between } = figure
  return between ? `(${between.map(write).join(' – ')})` : plusMinus(figure, write)
}

/** `± 0.56`: with as many decimals as the value, unless it is smaller than they show. */
function plusMinus({ value, interval }: Value, write: (value: number) => string): string | undefined {
  if (interval === undefined) return undefined
  const decimals = /\.(\d+)$/.exec(write(value))?.[1]?.length
  const alike = decimals === undefined ? undefined : interval.toFixed(decimals)
  return `± ${alike !== undefined && (Number(alike) > 0 || interval === 0) ? alike : write(interval)}`
}

/** `n = 4, without seed 2 (…)` for a mean over fewer seeds than were run, else undefined. */
export function withoutSeeds(figure: Figure): string | undefined {
  if (!('leftOut' in figure) || !figure.leftOut) return undefined
  const seeds = figure.leftOut.map(({ seed, reason }) => `seed ${seed} (${reason})`)
  return `n = ${figure.n ?? 1}, without ${seeds.join(', ')}`
}

/** `0.512 s`, `2 min 5 s`, `1 h 3 min`. */
export function duration(seconds: number): string {
  return seconds < 59.95 ? `${significant(seconds)} s` : minutesAndHours(seconds)
}

/** `2 min 5 s`, `1 h 3 min`, for times of a minute or more. */
export function minutesAndHours(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `89d4f48df70e`: enough of a digest to tell it from the others of a run. */
export function short(digest: string): string {
  return digest.slice(0, 12)
}

function zero(text: string): string {
  return Number(text) === 0 ? text.replace('-', '') : text
}

function minus(text: string): string {
  return text.replace(/^-/, '−')
}

function superscript(power: number): string {
  return [...String(power)]
    .map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(digit))))
    .join('')
}
