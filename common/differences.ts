import { formatPath, type Path } from './path.ts'

export interface Difference {
  /** `methods[2].rank` */
  readonly path: string
  /** The first value as JSON, or `nothing` if there is none. */
  readonly before: string
  /** The second value in the same form. */
  readonly after: string
}

/** The smallest parts in which two values of plain JSON differ, in the order of the first value. */
export function differences(before: unknown, after: unknown, path: Path = []): readonly Difference[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const [a, b] = [before, after] as Readonly<Record<string, unknown>>[]
    const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])]
    return keys.flatMap((key) =>
      differences(a?.[key], b?.[key], [...path, Array.isArray(before) ? Number(key) : key]),
    )
  }
  return before === after ? [] : [{ path: formatPath(path), before: shown(before), after: shown(after) }]
}

/**
 * The first three differences between a planned or recorded value and the one found here, as text.
 */
export function describeChanges(changed: readonly Difference[]): string {
  return changed
    .slice(0, 3)
    .map(({ path, before, after }) => `${path}: ${before}, here ${after}`)
    .join('; ')
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
