import { createHash } from 'node:crypto'
import { IN_MEMORY_BYTES, type Dataset } from '../../datasets/index.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import { setSizes } from '../../experiment/spec/sets.ts'
import { partition } from '../../learning/data/partition.ts'

export const setNames = ['train', 'validation', 'test'] as const
type SetName = (typeof setNames)[number]

/** The division of a data set into sets, and the problems that were found. */
export interface InspectedData {
  /** The set of each sample, by index. */
  readonly setOf: readonly SetName[]
  /** The number of samples of each class, by set. */
  readonly counts: readonly Readonly<Record<SetName, number>>[]
  readonly problems: readonly string[]
}

/**
 * Divides a data set as an experiment does, before any samples are forgotten, and looks for
 * problems.
 */
export async function inspected(data: DataSpec, seed: number, dataset: Dataset): Promise<InspectedData> {
  const { facts, labels, trainable } = dataset
  const parts = partition(setSizes(data, facts), trainable, seed)
  const setOf = Array.from(labels, (): SetName => 'train')
  for (const name of ['validation', 'test'] as const) for (const i of parts[name]) setOf[i] = name
  const counts = facts.classes.map(() => ({ train: 0, validation: 0, test: 0 }))
  labels.forEach((label, i) => {
    const own = counts[label]
    if (own) own[setOf[i] ?? 'train'] += 1
  })
  return {
    setOf,
    counts,
    problems: [
      ...skippedProblems(dataset),
      ...countProblems(facts.classes, counts, parts.validation.length > 0),
      ...(await imageProblems(dataset, setOf)),
    ],
  }
}

function skippedProblems({ facts: { skipped } }: Dataset): readonly string[] {
  if (!skipped) return []
  return [`${skipped.images} images cannot be decoded and are left out: ${skipped.first.join(', ')}`]
}

/** The largest class may have this many times the training samples of the smallest one. */
const UNEVEN = 10

function countProblems(
  classes: readonly string[],
  counts: InspectedData['counts'],
  hasValidation: boolean,
): readonly string[] {
  const named = (indices: readonly number[]) => indices.map((i) => `${i} (${classes[i] ?? ''})`).join(', ')
  const sets = setNames.filter((name) => name !== 'validation' || hasValidation)
  const train = counts.map((count) => count.train)
  const [least, most] = [Math.min(...train), Math.max(...train)]
  return [
    ...sets.flatMap((name) => {
      const without = counts.flatMap((count, i) => (count[name] === 0 ? [i] : []))
      return without.length > 0 ? [`no ${name} samples of the classes ${named(without)}`] : []
    }),
    ...(least > 0 && most > UNEVEN * least
      ? [`the classes are uneven: ${least} to ${most} training samples`]
      : []),
  ]
}

const MOST_NAMED = 5

/** Finds images that are the same or of one colour, if all images fit into memory. */
async function imageProblems(dataset: Dataset, setOf: readonly SetName[]): Promise<readonly string[]> {
  const { facts, labels } = dataset
  const size = facts.shape[0] * facts.shape[1] * facts.shape[2]
  if (size * labels.length > IN_MEMORY_BYTES)
    return ['the images were not searched for copies and for images of one colour: they take too much memory']
  const images = await dataset.images(0, labels.length)
  const first = new Map<string, number>()
  const copies: (readonly [number, number])[] = []
  const plain: number[] = []
  for (let i = 0; i < labels.length; i++) {
    const image = images.subarray(i * size, (i + 1) * size)
    if (image.every((byte) => byte === image[0])) plain.push(i)
    const digest = createHash('sha256').update(image).digest('base64')
    const earlier = first.get(digest)
    if (earlier === undefined) first.set(digest, i)
    else copies.push([earlier, i])
  }
  const across = copies.filter(([a, b]) => setOf[a] !== setOf[b])
  const other = copies.filter(([a, b]) => labels[a] !== labels[b])
  const more = (found: readonly unknown[]) => (found.length > MOST_NAMED ? ', …' : '')
  const pairs = (found: typeof copies) =>
    `${found
      .slice(0, MOST_NAMED)
      .map(([a, b]) => `${a} and ${b}`)
      .join(', ')}${more(found)}`
  return [
    ...(copies.length > 0 ? [`copies of earlier images: ${copies.length} (samples ${pairs(copies)})`] : []),
    ...(across.length > 0 ? [`copies in another set: ${across.length} (samples ${pairs(across)})`] : []),
    ...(other.length > 0 ? [`copies with another class: ${other.length} (samples ${pairs(other)})`] : []),
    ...(plain.length > 0
      ? [
          `images of one colour: ${plain.length} (samples ${plain.slice(0, MOST_NAMED).join(', ')}${more(plain)})`,
        ]
      : []),
  ]
}
