import type { ClassifierName } from '../experiment/records/scores.ts'
import { wilsonInterval } from '../common/interval.ts'
import type { Clock } from '../experiment/records/manifest.ts'
import { endsOf, ranges, type MetricName, type RowMarks } from '../experiment/records/results.ts'
import { isExact } from '../experiment/spec/method-facts.ts'
import { makerOf } from '../experiment/stages/stage-list.ts'
import { isOfProgram } from '../experiment/stages/stage.ts'
import { manifestOf, type ReportInput, type RowModels } from './input.ts'
import { overSeeds } from './over-seeds.ts'

/** Marks of figures that say little, and the reasons. */

export function marksOf(input: ReportInput, models: RowModels): RowMarks {
  const collapsed = models.filter((model) => isCollapsed(input, model)).length
  return {
    ...(attackAtChance(input, models, 'svm', 'confidence') && { attackAtChance: true }),
    ...(collapsed > 0 && { collapsed }),
    ...(models.some((model) => timesOverlap(input, model)) && { timesOverlapped: true }),
    ...(models.some((model) => isUntuned(input, model)) && { untuned: true }),
    ...(models.some(isOfExternalProgram) && { external: true }),
  }
}

/** Explains the marks that occur in the given rows. */
export function marksNotes(rows: readonly RowMarks[]): readonly string[] {
  return [
    ...(rows.some(({ attackAtChance }) => attackAtChance) ? [`${signs.attackAtChance} ${CHANCE}`] : []),
    ...(rows.some(({ collapsed }) => collapsed) ? [`${signs.collapsed} ${COLLAPSED}`] : []),
    ...(rows.some(({ timesOverlapped }) => timesOverlapped)
      ? [`${signs.timesOverlapped} ${OVERLAPPED}`]
      : []),
    ...(rows.some(({ untuned }) => untuned) ? [`${signs.untuned} ${UNTUNED}`] : []),
    ...(rows.some(({ external }) => external) ? [`${signs.external} ${EXTERNAL}`] : []),
  ]
}

/** The mark of a row's figure, if it has one. */
export function markAt(row: RowMarks, name: MetricName): string | undefined {
  if (name === 'mia' && row.attackAtChance) return signs.attackAtChance
  return name === 'rte' && row.timesOverlapped ? signs.timesOverlapped : undefined
}

/** The signs of the marks, which stand behind a figure or a label. */
export const signs = {
  attackAtChance: '†',
  collapsed: '‡',
  timesOverlapped: '§',
  untuned: '¶',
  external: '◊',
} as const

const CHANCE =
  'The attack is at chance: the 95% interval of its own balanced accuracy includes 50%. What it says of the forget set is noise.'
const COLLAPSED =
  'The model is not better than chance on the retained set. It has collapsed: its forgetting figures mean nothing.'
export const OVERLAPPED = 'The machine did other work while this was timed, so that the time may be too long.'

const UNTUNED =
  'The method was not tuned: it has its options as written, while those of other rows were chosen among several variants.'

const EXTERNAL =
  'An external program computed the model. Its command, its environment and the digests of its files are among the settings; `verify` tells whether it gives the same bytes again.'

/**
 * Whether the 95% interval of an attack's balanced accuracy includes 50%. With several seeds it is
 * the interval over seeds. With one seed it is Wilson's for n = 4/(1/m + 1/k) samples, which have
 * the variance of the balanced accuracy of m members and k non-members that did not train it.
 */
export function attackAtChance(
  input: ReportInput,
  models: RowModels,
  classifier: ClassifierName,
  score: string,
): boolean {
  const attacks = models.flatMap(
    ({ candidate }) => manifestOf<'attack'>(input, candidate.attack)?.metrics ?? [],
  )
  // Manifests of earlier versions lack the scores that were added since.
  const accuracies = attacks.flatMap(({ accuracy }) => accuracy[classifier][score] ?? [])
  const figure = overSeeds(accuracies, ranges.percent)
  if ('missing' in figure) return false
  const ends = endsOf(figure)
  if (ends) return ends[0] <= 50 && ends[1] >= 50
  const split = manifestOf<'split'>(input, input.run.plan.split)?.metrics
  const [attack] = attacks.filter((_, i) => 'value' in (accuracies[i] ?? {}))
  if (!split || !attack) return false
  // `members` of the manifest counts those that trained the attack.
  const members = Math.min(split.test, split.retained - attack.members)
  const n = 4 / (1 / members + 1 / split.test)
  const [low, high] = wilsonInterval((figure.value / 100) * n, n)
  return low <= 0.5 && high >= 0.5
}

/**
 * Whether a model is not significantly better on the retained set than the constant prediction of
 * its most frequent class.
 */
function isCollapsed(input: ReportInput, { candidate }: RowModels[number]): boolean {
  const accuracy = manifestOf<'evaluate'>(input, candidate.evaluate)?.metrics.accuracy.retained
  const split = manifestOf<'split'>(input, input.run.plan.split)?.metrics
  if (!accuracy || 'missing' in accuracy || !split) return false
  // Class counts of the training set without forgotten classes. Samples that are set apart or
  // forgotten besides are drawn at random.
  const counts = input.run.facts.train.filter((_, label) => !split.forgottenClasses.includes(label))
  const chance = Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0)
  const [low] = wilsonInterval((accuracy.value / 100) * split.retained, split.retained)
  return low <= chance
}

/**
 * Whether a row has its options as written while others were tuned. Exact methods have no option
 * to tune.
 */
function isUntuned(
  { run: { plan } }: ReportInput,
  { candidate: { method, unlearn } }: RowModels[number],
): boolean {
  return (
    plan.tuning !== undefined &&
    !isExact(method) &&
    unlearn !== undefined &&
    unlearn.inputs.tuned === undefined
  )
}

/** Whether an external program trained or unlearned the model of a row. */
function isOfExternalProgram({ seed, candidate }: RowModels[number]): boolean {
  const maker = makerOf(seed, candidate)
  return maker !== undefined && isOfProgram(maker)
}

/** Whether one of the two times whose ratio is RTE overlapped with other work. */
function timesOverlap(input: ReportInput, { seed, candidate }: RowModels[number]): boolean {
  const own = makerOf(seed, candidate)
  const [gold] = seed.gold
  if (!own || !gold || own.key === gold.key || gold.params.on === 'given' || candidate.given) return false
  if (own.key === seed.original.key && candidate.method === 'original') return false
  return [own, gold].some(({ key }) => {
    const clock = input.manifests[key]?.clock
    return clock !== undefined && isOverlapped(clock)
  })
}

/** The share of a stage's wall time above which other work counts as overlapping. */
const OVERLAP = 0.05

/**
 * Whether other work took a part of the time: another stage of the same worker, or other processes
 * beyond the processors that this stage left idle. False for manifests that did not record it.
 */
export function isOverlapped({ seconds, otherWork, environment }: Clock): boolean {
  if (!otherWork) return false
  const { processors = 1, tensorflow } = environment
  const idle = Math.max(0, processors - (tensorflow?.threads ?? 1))
  return otherWork.stages > OVERLAP * seconds || (otherWork.processes ?? 0) > (idle + OVERLAP) * seconds
}
