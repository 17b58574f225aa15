import { FormatError } from './files.ts'

/** A class more is a row more of every model's last layer, and a stray label would be as many as it is high. */
const MOST_CLASSES = 10_000

/** The names of the classes that labels speak of: those given, else the labels themselves. Throws a FormatError. */
export function classNames(labels: readonly number[], names?: readonly string[]): readonly string[] {
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
  return names ?? Array.from({ length: highest + 1 }, (_, label) => String(label))
}
