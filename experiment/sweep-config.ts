import { findingsOf, type Finding } from './config-issues.ts'
import { readYaml } from './config-yaml.ts'
import { UserError, type Problem } from './errors.ts'
import { formatPath } from './path.ts'
import { sweepSchema, type SweepSpace } from './sweep-space.ts'

/** Reads a sweep's config; `file` is named in errors, and nothing is read. Throws one UserError with every problem in it. */
export function parseSweep({ file, text }: { readonly file: string; readonly text: string }): SweepSpace {
  const yaml = readYaml(text, file)
  if (yaml.value === undefined) throw new UserError(yaml.problems)
  const parsed = sweepSchema.safeParse(yaml.value)
  const findings = parsed.success ? crossChecks(parsed.data) : findingsOf(sweepSchema, yaml.value)
  const problems = [
    ...yaml.problems,
    ...findings.map(({ message, path, at }): Problem => {
      const place = at === 'key' ? yaml.locateKey(path) : yaml.locate(path)
      return path.length > 0 ? { ...place, message, path: formatPath(path) } : { ...place, message }
    }),
  ]
  if (!parsed.success || problems.length > 0) throw new UserError(problems)
  return parsed.data
}

/** What one key's schema cannot say. */
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
    ...Object.entries(space.random?.of ?? {}).flatMap(([path, range]) => {
      if ('choices' in range) return []
      const at = ['random', 'of', path]
      const { from, to, scale, whole } = range
      return [
        ...(from < to
          ? []
          : [wrong(at, `the range of ${path} goes from ${from} to ${to}; expected from < to`)]),
        ...(scale === 'log' && from <= 0
          ? [wrong(at, `a logarithmic range begins above 0, and that of ${path} at ${from}`)]
          : []),
        ...(whole && !(Number.isInteger(from) && Number.isInteger(to))
          ? [
              wrong(
                at,
                `a range of whole numbers has whole ends, and that of ${path} goes from ${from} to ${to}`,
              ),
            ]
          : []),
      ]
    }),
    ...checkHalving(space).map((message) => wrong(['halving', 'rungs'], message)),
  ]
}

function checkHalving({ halving }: SweepSpace): readonly string[] {
  const rungs = halving?.rungs ?? []
  return rungs.every((rung, i) => i === 0 || rung > (rungs[i - 1] ?? 0))
    ? []
    : [`the rungs ascend, and these are ${rungs.join(', ')}`]
}
