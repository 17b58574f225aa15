import { canonicalJson } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { uniform, valueIn, type Json } from '../spec/range.ts'
import { basesOf, type SweepSpace } from './space.ts'

/** One point of a search space: a base, and the values that are set in it by path, in order. */
export interface SweepPoint {
  /** The base's file, as written in the sweep. */
  readonly base: string
  readonly set: Readonly<Record<string, Json>>
}

type Values = Readonly<Record<string, Json>>

/**
 * The most points of a sweep. Its state has to fit into one payload of its workflow, and its report
 * on one page.
 */
const MAX_POINTS = 5000

/**
 * The points of a space: each base with every combination of the grid's values, the zipped groups
 * and the random draws, where the first of them varies slowest; then each base with each single
 * point. Points that conditions make equal count once. The order is that of the config, so that
 * values appended to it append points. Throws a UserError if there are too many points or none.
 */
export function pointsOf(space: SweepSpace): readonly SweepPoint[] {
  const { set = {}, grid = {}, zip = [], random, points = [] } = space
  const axes: readonly (readonly Values[])[] = [
    ...Object.entries(grid).map(([path, list]) => list.map((value) => ({ [path]: value }))),
    ...zip.map(zipped),
    ...(random ? [drawn(random)] : []),
  ]
  const crossed = axes.length > 0 || points.length === 0
  const bases = basesOf(space)
  const count = bases.length * ((crossed ? axes.reduce((n, axis) => n * axis.length, 1) : 0) + points.length)
  if (count > MAX_POINTS)
    throw new UserError(
      `the sweep has ${count} points, and ${MAX_POINTS} is the most; leave values out, or draw some at random`,
    )
  const combinations = axes.reduce<readonly Values[]>(
    (all, axis) => all.flatMap((values) => axis.map((more) => ({ ...values, ...more }))),
    crossed ? [{}] : [],
  )
  const all = bases.flatMap((base) =>
    [...combinations, ...points].map((values): SweepPoint => {
      const whole = { ...set, ...values }
      return { base, set: applicable(space, base, whole) }
    }),
  )
  const left = all.filter(
    ({ base, set }) => !(space.exclude ?? []).some((condition) => meets(condition, { base, ...set })),
  )
  if (left.length === 0) throw new UserError('the sweep has no points: all are excluded')
  return [...new Map(left.map((point) => [canonicalJson(point), point])).values()]
}

/** The values without those whose condition does not hold. */
function applicable({ only = {} }: SweepSpace, base: string, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([path]) => {
      const condition = Object.hasOwn(only, path) ? only[path] : undefined
      return condition === undefined || meets(condition, { base, ...values })
    }),
  )
}

/** Whether the point has, at each path of a condition, the value or one of the list of values. */
function meets(condition: Values, point: Values): boolean {
  return Object.entries(condition).every(([path, wanted]) => {
    if (!Object.hasOwn(point, path)) return false
    const is = (value: Json) => canonicalJson(value) === canonicalJson(point[path])
    return is(wanted) || (Array.isArray(wanted) && wanted.some(is))
  })
}

function zipped(group: Readonly<Record<string, readonly Json[]>>): readonly Values[] {
  const lists = Object.entries(group)
  const [first] = lists
  if (!first) return []
  return first[1].map((_, i) =>
    Object.fromEntries(lists.flatMap(([path, list]) => list.slice(i, i + 1).map((value) => [path, value]))),
  )
}

/**
 * Random draws. Each depends on the seed, the path and the number of the sample alone, so that more
 * samples or other paths change no earlier draw.
 */
function drawn({ samples, seed, of }: NonNullable<SweepSpace['random']>): readonly Values[] {
  return Array.from({ length: samples }, (_, i) =>
    Object.fromEntries(
      Object.entries(of).map(([path, range]) => [path, valueIn(range, uniform(['sweep', seed, path, i]))]),
    ),
  )
}
