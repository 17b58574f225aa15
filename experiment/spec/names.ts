import { sha256 } from '../../common/canonical.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { ascending } from './indices.ts'

/** Finds the samples that a file lists by their names. */

/** The most problems that are reported. */
const TOLD = 10

/** A name of a file with its line, from 1. */
interface Named {
  readonly name: string
  readonly line: number
}

/** The names in a text, one in a line. Lines that are empty or begin with # are left out. */
function namesIn(text: string): readonly Named[] {
  return text.split('\n').flatMap((content, i) => {
    const name = content.trim()
    return name === '' || name.startsWith('#') ? [] : [{ name, line: i + 1 }]
  })
}

/**
 * Returns the numbers of the samples that a file names, in ascending order, and the digest of the
 * file. `names` has the name of each sample; the first `trainable` ones are of training files. The
 * end of a path is enough where it names one sample: `cat/1.png` for `train/cat/1.png`.
 *
 * Throws a UserError that lists, with their lines, names that are unknown, of several samples, of
 * test files, or listed twice. A name that is unknown is shown with the most similar one.
 */
export function namedSamples(
  bytes: Uint8Array,
  file: string,
  {
    names,
    trainable,
    expected,
  }: {
    readonly names: readonly string[]
    readonly trainable: number
    /** The SHA-256 that the file must have. */
    readonly expected?: string | undefined
  },
): { readonly sha256: string; readonly indices: readonly number[] } {
  const found = sha256(bytes)
  if (expected !== undefined && found !== expected)
    throw new UserError([
      {
        path: 'split.sha256',
        message: `${file} has the SHA-256 ${found}, not the one given; restore the file, or give this one`,
      },
    ])
  const known = byEnding(names)
  const lines = new Map<number, number>()
  const problems: Problem[] = []
  const listed = namesIn(new TextDecoder().decode(bytes))
  for (const { name, line } of listed) {
    const report = (message: string) => problems.push({ file, line, column: 1, message })
    const at = known.get(normal(name))
    const earlier = at === undefined ? undefined : lines.get(at)
    if (at === undefined)
      report(problems.length < TOLD ? unknownName(name, names) : `there is no sample "${name}"`)
    else if (at === SEVERAL)
      report(
        `"${name}" is the end of several names, such as ${examples(name, names)}; write more of the path`,
      )
    else if (at >= trainable)
      report(`"${name}" is a test sample, on which no model trains; only training samples can be forgotten`)
    else if (earlier !== undefined) report(`"${name}" is the sample of line ${earlier} already; remove one`)
    else lines.set(at, line)
  }
  if (listed.length === 0)
    problems.push({ file, message: 'the file names no sample; expected names, one in a line' })
  if (problems.length > 0) {
    const rest = problems.length - TOLD
    throw new UserError([
      ...problems.slice(0, TOLD),
      ...(rest > 0 ? [{ file, message: `${rest} more of them are wrong` }] : []),
    ])
  }
  return { sha256: found, indices: ascending(lines.keys()) }
}

const SEVERAL = -1

const normal = (name: string) => name.replace(/^(\.\/)+/, '')

/** The sample of each name and of each end of its path. -1 for ends that several samples share. */
function byEnding(names: readonly string[]): ReadonlyMap<string, number> {
  const known = new Map<string, number>()
  names.forEach((name, i) => {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
      const end = name.slice(at + 1)
      known.set(end, known.has(end) ? SEVERAL : i)
    }
  })
  // A whole name counts before the end of another one.
  const whole = new Map<string, number>()
  names.forEach((name, i) => {
    whole.set(name, whole.has(name) ? SEVERAL : i)
  })
  return new Map([...known, ...whole])
}

function unknownName(name: string, names: readonly string[]): string {
  const segments = normal(name).split('/').length
  const ends = names.map((one) => one.split('/').slice(-segments).join('/'))
  const near = nearest(normal(name), ends)
  return `there is no sample "${name}"${near === undefined ? `; names are such as ${names.slice(0, 2).join(', ')}` : `; did you mean "${near}"?`}`
}

function examples(name: string, names: readonly string[]): string {
  const end = normal(name)
  return names
    .filter((one) => one === end || one.endsWith(`/${end}`))
    .slice(0, 2)
    .join(' and ')
}
