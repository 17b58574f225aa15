import { formatPath, parsePath, type Path } from '../../common/path.ts'

/** Keys that are not clear without the key before them. */
const generic: readonly (string | number)[] = ['name', 'kind']

/**
 * A short name for each path: its shortest suffix that begins with a key and is no suffix of
 * another path. For instance `rank`, or `methods[0].rank` if several methods have a rank.
 * `data.name` stays as it is.
 */
export function columnNames(paths: readonly string[]): readonly string[] {
  const ends = paths.map(endsOf)
  return paths.map(
    (path, i) => ends[i]?.find((end) => !ends.some((others, j) => j !== i && others.includes(end))) ?? path,
  )
}

/** All suffixes of a path that can be a name, shortest first. */
function endsOf(text: string): readonly string[] {
  const path = parsePath(text)
  if (!path) return [text]
  return path
    .map((_, from): Path => path.slice(from))
    .filter(([first, ...rest]) => typeof first === 'string' && (rest.length > 0 || !generic.includes(first)))
    .map(formatPath)
    .reverse()
}
