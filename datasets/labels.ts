import { FormatError } from './files.ts'

/** A class more is a row more of every model's last layer, and a stray label would be as many as it is high. */
const MOST_CLASSES = 10_000
/** Of the classes up to the highest label, as many may have no sample at all. */
const MOST_EMPTY = 500

/** The names of the classes that labels speak of: those given, else the labels themselves. Throws a FormatError. */
export function classNames(labels: readonly number[], names?: readonly string[]): readonly string[] {
  refuseTwins(names ?? [])
  const limit = names?.length ?? MOST_CLASSES
  const wrong = labels.flatMap((label, i) =>
    Number.isInteger(label) && label >= 0 && label < limit ? [] : [{ label, i }],
  )
  const [first] = wrong
  if (first)
    throw new FormatError(
      `has ${wrong.length} label${wrong.length > 1 ? 's' : ''} out of range, the first of them ${first.label} (sample ${first.i}); ` +
        `expected 0 to ${limit - 1}`,
    )
  const highest = labels.reduce((most, label) => Math.max(most, label), 0)
  if (!names) refuseStray(labels, highest)
  return names ?? Array.from({ length: highest + 1 }, (_, label) => String(label))
}

/** A split names classes: of two that are called alike, it would forget one alone. */
function refuseTwins(names: readonly string[]): void {
  const twin = names.findIndex((name, i) => names.indexOf(name) < i)
  const name = names[twin]
  if (name !== undefined)
    throw new FormatError(
      `has two classes called "${name}", ${names.indexOf(name)} and ${twin}; expected a name of its own for each`,
    )
}

function refuseStray(labels: readonly number[], highest: number): void {
  const empty = highest + 1 - new Set(labels).size
  if (empty > MOST_EMPTY)
    throw new FormatError(
      `has the label ${highest} (sample ${labels.indexOf(highest)}), and ${empty} of the classes 0 to ${highest} have no sample; ` +
        `expected labels from 0 on, of which ${MOST_EMPTY} at most are left out`,
    )
}
