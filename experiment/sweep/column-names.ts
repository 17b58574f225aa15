import { formatPath, parsePath, type Path } from '../../common/path.ts'

/** Words that say nothing without what they are the name or kind of. */
const generic: readonly (string | number)[] = ['name', 'kind']

/**
 * The shortest end of each path that no other path has, beginning at a key: `rank`, else `methods[0].rank`. `data.name`
 * stays as it is.
 */
export function columnNames(paths: readonly string[]): readonly string[] {
  const ends = paths.map(endsOf)
  return paths.map(
    (path, i) => ends[i]?.find((end) => !ends.some((others, j) => j !== i && others.includes(end))) ?? path,
  )
}

/** All ends of a path that can be a name, the shortest first. */
function endsOf(text: string): readonly string[] {
  const path = parsePath(text)
  if (!path) return [text]
  return path
    .map((_, from): Path => path.slice(from))
    .filter(([first, ...rest]) => typeof first === 'string' && (rest.length > 0 || !generic.includes(first)))
    .map(formatPath)
    .reverse()
}
