import { FormatError } from './files.ts'

/**
 * The largest number of classes. Every class adds a column to the last layer, so a single wrong
 * label would be costly.
 */
const MOST_CLASSES = 10_000
/** The largest number of classes without a sample. */
const MOST_EMPTY = 500

/**
 * The names of the classes: the given ones, or the labels as text. Throws a FormatError if a label
 * is out of range.
 */
export function classNames(labels: readonly number[], names?: readonly string[]): readonly string[] {
  refuseDuplicates(names ?? [])
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

/** Throws a FormatError if two classes have the same name, since a split names classes. */
function refuseDuplicates(names: readonly string[]): void {
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
