import { findingsOf, type Finding } from '../spec/config-issues.ts'
import { readYaml } from '../spec/config-yaml.ts'
import { rangeProblems } from '../spec/range.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { formatPath, parsePath, startsWith, type Locate } from '../../common/path.ts'
import { suggestion } from '../../common/nearest.ts'
import { sweepSchema, type SweepSpace } from './space.ts'

export interface ParsedSweep {
  readonly space: SweepSpace
  /** The place of a part of the config. */
  readonly locate: Locate
}

/**
 * Parses and checks the config of a sweep. `file` is the name in errors; the file is not read.
 * Throws one UserError with every problem in it.
 */
export function parseSweep({ file, text }: { readonly file: string; readonly text: string }): ParsedSweep {
  const yaml = readYaml(text, file)
  if (yaml.value === undefined) throw new UserError(yaml.problems)
  const parsed = sweepSchema.safeParse(yaml.value)
  const findings = [
    ...findingsOf(sweepSchema, yaml.value),
    ...(parsed.success ? crossChecks(parsed.data) : []),
  ]
  const problems = [
    ...yaml.problems,
    ...findings.map(({ message, path, at }): Problem => {
      const place = at === 'key' ? yaml.locateKey(path) : yaml.locate(path)
      return path.length > 0 ? { ...place, message, path: formatPath(path) } : { ...place, message }
    }),
  ]
  if (!parsed.success || problems.length > 0) throw new UserError(problems)
  return { space: parsed.data, locate: yaml.locate }
}

/** Checks across several keys, which a schema cannot express. */
function crossChecks(space: SweepSpace): readonly Finding[] {
  const wrong = (path: Finding['path'], message: string): Finding => ({ path, message, at: 'value' })
  const varied = new Map<string, string>()
  const twice = (place: string, paths: readonly string[]) =>
    paths.flatMap((path) => {
      const earlier = varied.get(path)
      varied.set(path, place)
      return earlier === undefined
        ? []
        : [wrong([place], `${path} is varied by ${earlier} already; remove one`)]
    })
  return [
    ...twice('grid', Object.keys(space.grid ?? {})),
    ...(space.zip ?? []).flatMap((group, i) => {
      const lengths = Object.entries(group).map(([path, list]) => `${path} has ${list.length}`)
      const isUneven = new Set(Object.values(group).map(({ length }) => length)).size > 1
      return [
        ...(isUneven
          ? [
              wrong(
                ['zip', i],
                `the lists of a group advance together and need one length: ${lengths.join(', ')}`,
              ),
            ]
          : []),
        ...twice('zip', Object.keys(group)),
      ]
    }),
    ...twice('random', Object.keys(space.random?.of ?? {})),
    ...Object.entries(space.random?.of ?? {}).flatMap(([path, range]) =>
      rangeProblems(path, range).map((message) => wrong(['random', 'of', path], message)),
    ),
    ...checkHalving(space).map((message) => wrong(['halving', 'rungs'], message)),
  ]
}

function checkHalving({ halving }: SweepSpace): readonly string[] {
  const rungs = halving?.rungs ?? []
  return rungs.every((rung, i) => i === 0 || rung > (rungs[i - 1] ?? 0))
    ? []
    : [`the rungs ascend, and these are ${rungs.join(', ')}`]
}

/**
 * Checks of the whole space after the overrides of `-S`: conditions on paths that nothing sets, and
 * axes that replace values that another axis varies.
 */
export function checkSpace(space: SweepSpace, locate: Locate): readonly Problem[] {
  return [...checkConditions(space), ...checkOverlaps(space)].map(({ message, path }) => ({
    ...locate(path),
    message,
    path: formatPath(path),
  }))
}

type Misfit = Pick<Finding, 'message' | 'path'>

function checkConditions({
  set,
  points = [],
  only = {},
  exclude = [],
  ...space
}: SweepSpace): readonly Misfit[] {
  const given = new Set([set ?? {}, ...points].flatMap((values) => Object.keys(values)))
  for (const { path } of axesOf(space)) given.add(path)
  const check = (path: string, at: Finding['path']): readonly Misfit[] =>
    given.has(path)
      ? []
      : [{ path: at, message: `nothing of the sweep sets ${path}${suggestion(path, [...given], 'it sets')}` }]
  const conditions = [
    ...Object.entries(only).map(([path, condition]) => ({ at: ['only', path], condition })),
    ...exclude.map((condition, i) => ({ at: ['exclude', i], condition })),
  ]
  return [
    ...Object.keys(only).flatMap((path) => check(path, ['only', path])),
    ...conditions.flatMap(({ at, condition }) =>
      Object.keys(condition).flatMap((path) => (path === 'base' ? [] : check(path, [...at, path]))),
    ),
  ]
}

/**
 * Reports paths inside a path that an axis varies as a whole: one of the two values would replace
 * the other.
 */
function checkOverlaps({ set = {}, ...space }: SweepSpace): readonly Misfit[] {
  const axes = axesOf(space)
  const fixed = Object.keys(set).map((path) => ({ path, at: ['set', path] }))
  return axes.flatMap((axis) =>
    [...axes, ...fixed]
      .filter(({ path }) => isWithin(path, axis.path))
      .map(({ path, at }) => ({
        path: at,
        message: `${path} is a part of ${axis.path}, which ${String(axis.at[0])} varies as a whole; leave one of them out`,
      })),
  )
}

function isWithin(inner: string, outer: string): boolean {
  const [of = [], parts = []] = [parsePath(inner), parsePath(outer)]
  return of.length > parts.length && startsWith(of, parts)
}

type Axes = Pick<SweepSpace, 'grid' | 'zip' | 'random'>

function axesOf({
  grid = {},
  zip = [],
  random,
}: Axes): readonly { readonly path: string; readonly at: Finding['path'] }[] {
  return [
    ...Object.keys(grid).map((path) => ({ path, at: ['grid', path] })),
    ...zip.flatMap((group, i) => Object.keys(group).map((path) => ({ path, at: ['zip', i, path] }))),
    ...Object.keys(random?.of ?? {}).map((path) => ({ path, at: ['random', 'of', path] })),
  ]
}
