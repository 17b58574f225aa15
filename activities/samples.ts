import type { Artifacts } from '../artifacts/artifacts.ts'
import type { SeedPlan } from '../experiment/plan/types.ts'
import { outcomeAttacks, type OutcomeAttack } from '../experiment/records/outcomes.ts'
import type {
  SampledModel,
  SampleSet,
  SampleTable,
  Neighbour,
  Neighbours,
} from '../experiment/records/samples.ts'
import { sampleSets } from '../experiment/records/samples.ts'
import { scoreNames } from '../experiment/records/scores.ts'
import { whiteOf } from '../experiment/spec/white.ts'
import { manifestOf, type ReportInput } from '../report/input.ts'
import { modelRows, type EvaluatedModel } from '../report/sections/model-rows.ts'
import { trueLogProbabilities, type Logits } from '../unlearning/metrics/logits.ts'
import { predictions } from '../unlearning/outcomes/confusion.ts'
import type { Split } from '../unlearning/split/split.ts'
import { readDataset, readSplit, shardsOf } from './runtime/blob-codecs.ts'
import { attacksByShadows } from './shared-shadows.ts'
import { usableLogits } from './usable-logits.ts'

/** The most rows of the table of samples, and the most models. */
const MOST_SAMPLES = 60_000
const MOST_MODELS = 24
/** The most bytes of pixels that are kept in memory. */
const MOST_PIXELS = 2 ** 29
/** Neighbours of each set. */
const NEIGHBOURS = 6

/** The sets of a split that stand for a set of the table. */
const parts = {
  forget: ['forget'],
  retained: ['retained'],
  test: ['attackTest', 'test', 'forgottenTest'],
} as const satisfies Readonly<Record<SampleSet, readonly (keyof Split)[]>>

/** The parts of a split that have rows in a table. */
export type TablePart = (typeof parts)[SampleSet][number]

/**
 * The samples of a run's first seed, with what its models say of them. Undefined if the data or the
 * split are not there. Throws a MissingBlobError if they were deleted.
 */
export async function samplesOf(artifacts: Artifacts, input: ReportInput): Promise<SampleTable | undefined> {
  const { plan, facts } = input.run
  const dataset = manifestOf<'dataset'>(input, plan.dataset)
  const manifest = manifestOf<'split'>(input, plan.split)
  if (!dataset || !manifest?.outputs.split) return undefined
  const split = await readSplit(artifacts, manifest)
  const { kept, left, column } = rowsOf((part) => split[part].length)
  const number = column((part) => split[part])
  const { labels } = await readDataset(artifacts, dataset)
  const models: SampledModel[] = []
  const missing: { readonly label: string; readonly reason: string }[] = []
  const listed = listedModels(input)
  for (const { label, judged } of listed) {
    const logits = await usableLogits(artifacts, input, judged)
    if ('reason' in logits) missing.push({ label, reason: logits.reason })
    else
      models.push({
        label,
        isGold: judged.model.evaluate.key === judged.seed.reference?.evaluate.key,
        confidence: column((part) => confidences(logits[part])),
        predicted: column((part) => predictions(logits[part])),
      })
  }
  return {
    classes: facts.classes,
    ...(hasPixels(input) && { shape: facts.shape }),
    sets: sampleSets,
    set: sampleSets.flatMap((_, i) => new Array<number>(kept[i] ?? 0).fill(i)),
    number,
    label: number.map((sample) => labels[sample] ?? -1),
    attacks: models.length > 0 ? attacksOn(listed) : [],
    ...{ models, missing, left },
  }
}

export interface ListedModel {
  readonly label: string
  readonly judged: { readonly seed: SeedPlan; readonly model: EvaluatedModel }
}

/** The models of the first seed that a table of samples lists. */
export function listedModels(input: ReportInput): readonly ListedModel[] {
  return modelRows(input, (seed, model) => ({ seed, model }))
    .slice(0, MOST_MODELS)
    .flatMap(({ label, seeds: [judged] }) => (judged ? [{ label, judged }] : []))
}

/** The attacks on any of these models, in the order of pages. */
function attacksOn(models: readonly ListedModel[]): readonly OutcomeAttack[] {
  const found = new Set<OutcomeAttack>([
    ...scoreNames,
    ...models.flatMap(({ judged }) => attacksByShadows(judged.model)),
  ])
  return outcomeAttacks.filter((attack) => found.has(attack))
}

/** The rows of a table of samples, by the sizes of the parts of the split. */
export function rowsOf(sizeOf: (part: keyof Split) => number) {
  const sizes = sampleSets.map((set) => parts[set].reduce((sum, part) => sum + sizeOf(part), 0))
  const kept = rowsKept(sizes)
  return {
    kept,
    /** The number of samples that have no row. */
    left: sizes.reduce((sum, size, i) => sum + size - (kept[i] ?? 0), 0),
    /** The values of the rows, from those of each part of the split. */
    column: <T>(of: (part: TablePart) => ArrayLike<T>): T[] =>
      sampleSets.flatMap((set, i) => parts[set].flatMap((part) => Array.from(of(part))).slice(0, kept[i])),
  }
}

/** The rows of each set: all of the first sets, as far as there is room. */
function rowsKept(sizes: readonly number[]): readonly number[] {
  let room = MOST_SAMPLES
  return sizes.map((size) => {
    const kept = Math.min(size, room)
    room -= kept
    return kept
  })
}

function confidences(logits: Logits): Float64Array {
  return trueLogProbabilities(logits).map((log) => Math.round(1e4 * Math.exp(log)) / 1e4)
}

/** Whether pictures of the samples of a run can be read. */
export function hasPixels(input: ReportInput): boolean {
  const manifest = manifestOf<'dataset'>(input, input.run.plan.dataset)
  if (!manifest || shardsOf(manifest).length > 0) return false
  return (manifest.outputs.dataset?.bytes ?? Infinity) <= MOST_PIXELS
}

/** The pixels of all samples, and the samples of each set. */
export interface Pictures {
  readonly images: Uint8Array
  readonly shape: readonly [height: number, width: number, channels: number]
  /** The greatest pixel value. */
  readonly white: number
  readonly sets: Readonly<Record<Exclude<SampleSet, 'forget'>, Int32Array>>
}

/** Reads the pictures of a run. Undefined if it has none that can be read. */
export async function readPictures(artifacts: Artifacts, input: ReportInput): Promise<Pictures | undefined> {
  const { plan, facts } = input.run
  const dataset = manifestOf<'dataset'>(input, plan.dataset)
  const split = manifestOf<'split'>(input, plan.split)
  if (!dataset || !split || !hasPixels(input)) return undefined
  const [{ images }, sets] = await Promise.all([readDataset(artifacts, dataset), readSplit(artifacts, split)])
  if (!images) return undefined
  const all = (set: SampleSet) => Int32Array.from(parts[set].flatMap((part) => [...sets[part]]))
  return {
    images,
    shape: facts.shape,
    white: whiteOf(input.run.spec.data),
    sets: { retained: all('retained'), test: all('test') },
  }
}

/** The pixels of a sample. Undefined if there is none of this number. */
export function pixelsOf({ images, shape }: Pictures, sample: number): Uint8Array | undefined {
  const size = shape[0] * shape[1] * shape[2]
  const pixels = images.subarray(sample * size, (sample + 1) * size)
  return sample >= 0 && pixels.length === size ? pixels : undefined
}

/** The nearest samples of the other sets by their pixels. */
export function neighboursOf(pictures: Pictures, sample: number): Neighbours | undefined {
  const own = pixelsOf(pictures, sample)
  return (
    own && {
      retained: nearest(pictures, own, sample, pictures.sets.retained),
      test: nearest(pictures, own, sample, pictures.sets.test),
    }
  )
}

function nearest(
  { images, white }: Pictures,
  own: Uint8Array,
  sample: number,
  others: Int32Array,
): readonly Neighbour[] {
  const found: { readonly number: number; readonly squares: number }[] = []
  for (const number of others) {
    if (number === sample) continue
    const limit = found.length < NEIGHBOURS ? Infinity : (found.at(-1)?.squares ?? Infinity)
    const squares = squaresUpTo(images, number * own.length, own, limit)
    if (squares >= limit) continue
    const place = found.findIndex((one) => squares < one.squares)
    found.splice(place === -1 ? found.length : place, 0, { number, squares })
    found.length = Math.min(found.length, NEIGHBOURS)
  }
  return found.map(({ number, squares }) => ({
    number,
    distance: Number((Math.sqrt(squares / own.length) / white).toPrecision(4)),
  }))
}

/** The sum of squared differences of pixels, or a part of it that is at least `limit`. */
function squaresUpTo(images: Uint8Array, start: number, own: Uint8Array, limit: number): number {
  let sum = 0
  for (let i = 0; i < own.length; i++) {
    const difference = (images[start + i] ?? 0) - (own[i] ?? 0)
    sum += difference * difference
    if (sum >= limit) return sum
  }
  return sum
}
