import { character, literal, matcher, repeat, sequence } from '../common/linear-pattern.ts'

const withinName = repeat(character((found) => found !== '/'))
const folders = repeat(sequence([repeat(character(() => true)), literal('/')]), 0, 1)

/**
 * Returns a test for relative paths. `*` matches anything within a name, `**` and a slash any
 * folders or none.
 */
export function matchesGlob(pattern: string): (path: string) => boolean {
  const parts = pattern.split(/(\*\*\/|\*)/)
  return matcher(
    sequence(
      parts.map((part) => {
        if (part === '**/') return folders
        return part === '*' ? withinName : literal(part)
      }),
    ),
  )
}
