import { overrideName, overrideText } from '../../experiment/spec/config-overrides.ts'
import type { Problem } from '../../common/errors.ts'
import type { Locate, Path } from '../../common/path.ts'
import type { SweepPoint } from '../../experiment/sweep/points.ts'
import type { SweepSpace } from '../../experiment/sweep/space.ts'

/** A path with one of its values, and its position in the sweep's config. */
interface Given {
  readonly path: string
  /** Absent if the values are drawn from a range. */
  readonly value?: unknown
  readonly at: Path
}

/**
 * Points are checked as experiments with overrides. The returned function moves a problem to the
 * line of the sweep that has the value, or the range from which it was drawn.
 */
export function sweepPlaces(
  space: SweepSpace,
  locate: Locate,
): (point: SweepPoint) => (problem: Problem) => Problem {
  const exact = new Map<string, Path>()
  const ofPath = new Map<string, Path>()
  for (const { path, value, at } of givenIn(space)) {
    const text = overrideText(path, value)
    if (value !== undefined && !exact.has(text)) exact.set(text, at)
    if (!ofPath.has(path)) ofPath.set(path, at)
  }
  const rungs = space.halving?.rungs.map((rung) => [space.halving?.resource ?? '', rung] as const) ?? []
  return ({ set }) => {
    const texts = new Map(
      [...Object.entries(set), ...rungs].map(([path, value]) => [
        overrideName(overrideText(path, value)),
        { path, value },
      ]),
    )
    return (problem) => {
      const given = texts.get(problem.file ?? '')
      if (!given) return problem
      const text = overrideText(given.path, given.value)
      const position = locate(exact.get(text) ?? ofPath.get(given.path) ?? [])
      // The option `-S` names the value itself.
      const message = position.line === undefined ? problem.message : `${text}: ${problem.message}`
      return { ...problem, ...position, message }
    }
  }
}

function givenIn({
  grid = {},
  zip = [],
  random,
  points = [],
  set = {},
  halving,
}: SweepSpace): readonly Given[] {
  const lists = (values: Readonly<Record<string, readonly unknown[]>>, at: Path) =>
    Object.entries(values).flatMap(([path, list]) =>
      list.map((value, i): Given => ({ path, value, at: [...at, path, i] })),
    )
  const point = (values: Readonly<Record<string, unknown>>, at: Path) =>
    Object.entries(values).map(([path, value]): Given => ({ path, value, at: [...at, path] }))
  return [
    ...lists(grid, ['grid']),
    ...zip.flatMap((group, i) => lists(group, ['zip', i])),
    ...Object.keys(random?.of ?? {}).map((path): Given => ({ path, at: ['random', 'of', path] })),
    ...points.flatMap((values, i) => point(values, ['points', i])),
    ...point(set, ['set']),
    ...(halving?.rungs.map((value, i): Given => ({
      path: halving.resource,
      value,
      at: ['halving', 'rungs', i],
    })) ?? []),
  ]
}
