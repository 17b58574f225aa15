import { sha256 } from '../../common/canonical.ts'
import { UserError, type Problem } from '../../common/errors.ts'

/** Reads and checks the sample indices that a user gives. */

/** The most problems that are reported: a file that is no list of indices has thousands. */
const TOLD = 10

/**
 * Parses a text of whole numbers separated by white space or commas, in which # begins a comment.
 * Returns the numbers in ascending order. Throws a UserError with the place of everything that is
 * not a number.
 */
export function parseIndices(text: string, file: string): readonly number[] {
  const problems: Problem[] = []
  const lines = new Map<number, number>()
  text.split('\n').forEach((content, i) => {
    const line = i + 1
    for (const { 0: word, index } of content.replace(/#.*/, '').matchAll(/[^\s,]+/g)) {
      const report = (message: string) => problems.push({ file, line, column: index + 1, message })
      const value = Number(word)
      const earlier = lines.get(value)
      if (!/^\d+$/.test(word) || !Number.isSafeInteger(value))
        report(`expected a sample's index, a whole number from 0, found "${word.slice(0, 40)}"`)
      else if (earlier !== undefined)
        report(`sample ${value} is listed twice, first on line ${earlier}; remove one`)
      else lines.set(value, line)
    }
  })
  if (problems.length === 0 && lines.size === 0)
    problems.push({ file, message: 'the file names no sample; expected indices, one a line' })
  if (problems.length > 0) throw new UserError(few(problems))
  return ascending(lines.keys())
}

/** Returns the SHA-256 of a file. Throws a UserError if the config expects another one. */
export function checkedDigest(bytes: Uint8Array, file: string, expected: string | undefined): string {
  const found = sha256(bytes)
  if (expected !== undefined && found !== expected)
    throw new UserError([
      {
        path: 'split.sha256',
        message: `${file} has the SHA-256 ${found}, not the one given; restore the file, or give this one`,
      },
    ])
  return found
}

/**
 * Parses a file of indices. Throws a UserError if the file does not have the SHA-256 `expected`.
 */
export function indicesOf(
  bytes: Uint8Array,
  file: string,
  expected?: string,
): { readonly sha256: string; readonly indices: readonly number[] } {
  const found = checkedDigest(bytes, file, expected)
  return { sha256: found, indices: parseIndices(new TextDecoder().decode(bytes), file) }
}

/** Throws a UserError that names the indices, up to ten, that do not belong to training samples. */
export function checkIndices(
  indices: readonly number[],
  { train, validation, test }: Readonly<Record<'train' | 'validation' | 'test', Int32Array>>,
  path = 'split.indices',
): void {
  const sets = { train, validation, test }
  const samples = train.length + validation.length + test.length
  const role = new Map(
    Object.entries(sets).flatMap(([set, members]) => [...members].map((i) => [i, set] as const)),
  )
  const problems = indices.flatMap((index): Problem[] => {
    const found = role.get(index)
    if (found === 'train') return []
    return [
      {
        path,
        message:
          found === undefined
            ? `there is no sample ${index}: the data's ${samples} samples are 0 to ${samples - 1}`
            : `sample ${index} is a ${found} sample, on which no model trains; only training samples can be forgotten`,
      },
    ]
  })
  if (problems.length > 0) throw new UserError(few(problems))
}

export function ascending(values: Iterable<number>): readonly number[] {
  return [...values].sort((a, b) => a - b)
}

function few(problems: readonly Problem[]): readonly Problem[] {
  const rest = problems.length - TOLD
  if (rest <= 0) return problems
  const { file, path } = problems[0] ?? {}
  return [
    ...problems.slice(0, TOLD),
    { ...(file && { file }), ...(path && { path }), message: `${rest} more of them are wrong` },
  ]
}
