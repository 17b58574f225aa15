import { digestOf } from '../../common/canonical.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import { isApproximate, type ApproximateMethodSpec } from '../spec/methods.ts'
import { resolveClasses } from '../spec/sets.ts'
import { trainedHere, type Spec } from '../spec/spec.ts'
import type { SplitSpec } from '../spec/split.ts'
import { tuneDefaults } from '../spec/tune.ts'
import { tuningOf, variantsOf } from '../spec/variants.ts'
import type { StageOf, StageRef } from '../stages/stage.ts'
import { ref, type StageMaker } from './stage-maker.ts'
import { evaluateStage, trainStage } from './train-stages.ts'
import type { TunedRow, TuningPlan, TuningRound, TuningSeed } from './types.ts'

interface TuningContext {
  readonly stage: StageMaker
  readonly spec: Spec
  readonly facts: DatasetFacts
  /** The data and the split of the comparison. */
  readonly data: { readonly dataset: StageRef<'dataset'>; readonly split: StageRef<'split'> }
  /** Absent if models start from new weights. */
  readonly checkpoint?: StageRef<'checkpoint'>
  /** The original, if it was made elsewhere. The tuning then uses it, too. */
  readonly given?: StageOf<'train'>
}

/**
 * The stages that choose the options of tuned rows by successive halving. Each tuning seed has an
 * original, a split and one round of trials. All variants are tried in the first round. The best
 * third of a round, but at least two variants, go on to the next one.
 */
export function tuningPlan(context: TuningContext): TuningPlan | undefined {
  const { spec } = context
  const tuned = spec.methods.flatMap((row): readonly ApproximateMethodSpec[] =>
    isApproximate(row) && tuningOf(row, spec) ? [row] : [],
  )
  if (tuned.length === 0) return undefined
  const count = spec.tune?.seeds ?? tuneDefaults.seeds
  const seeds = Array.from({ length: count }, (_, i) => tuningSeed(context, i))
  return { seeds, rows: tuned.map((row) => tunedRow(context, seeds, row)) }
}

/**
 * The distance of the tuning's seeds from those of the experiment. It is greater than the distance
 * of any two seeds of models that are compared: see `MOST_SEEDS` and `gold.models` in
 * experiment/spec/spec.ts.
 */
const SEED_DISTANCE = 1_000_000

/** The seeds of tuning seed `i`, from 0. */
export function tuningSeedsAt({ seed }: Pick<Spec, 'seed'>, i: number): Spec['seed'] {
  const far = (own: number) => own + SEED_DISTANCE + i
  return {
    data: seed.data,
    split: far(seed.split),
    training: far(seed.training),
    unlearning: far(seed.unlearning),
  }
}

function tuningSeed(context: TuningContext, i: number): TuningSeed {
  const { stage, spec, data, checkpoint, given } = context
  const { dataset } = data
  const seeds = tuningSeedsAt(spec, i)
  const name = `tuning seed ${i + 1}`
  const inputs = { dataset, ...(checkpoint && { checkpoint }) }
  const original = given ?? trainStage(stage, spec, 'all', inputs, seeds.training, `train original, ${name}`)
  const model = ref(original)
  const ranking =
    spec.split.kind === 'hard'
      ? evaluateStage(stage, spec, { dataset, model }, `rank training samples, ${name}`)
      : undefined
  const own = tuningSplit(context, seeds.split)
  const split = stage(
    'split',
    `split, ${name}`,
    { split: own, seed: seeds.split },
    {
      dataset,
      ...(ranking && { ranking: ref(ranking) }),
      ...(own.kind !== 'class' && { comparison: data.split }),
    },
  )
  return {
    original,
    ...(ranking && { ranking }),
    split,
    originalEvaluation: evaluateStage(
      stage,
      spec,
      { dataset, split: ref(split), model },
      `evaluate original, ${name}`,
    ),
  }
}

/**
 * The split of a tuning seed. It is of the same kind as that of the comparison, with other classes
 * if whole classes are forgotten. Instead of given samples it forgets as many that are drawn.
 */
function tuningSplit({ spec, facts }: TuningContext, seed: number): SplitSpec {
  const { split } = spec
  switch (split.kind) {
    case 'class':
      return { kind: 'class', classes: otherClasses(resolveClasses(split, facts), facts, seed) }
    case 'indices':
    case 'names':
      return { kind: 'random', count: split.indices?.length ?? 0 }
    case 'random':
    case 'class-fraction':
    case 'hard':
      return split
  }
}

/** Draws as many classes that are not forgotten, or all of them if there are fewer. */
function otherClasses(forgotten: readonly number[], { train }: DatasetFacts, seed: number): number[] {
  return train
    .flatMap((count, index) => (count > 0 && !forgotten.includes(index) ? [index] : []))
    .map((index) => ({ index, order: digestOf(['tune', 'class', seed, index]) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .slice(0, forgotten.length)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
}

function tunedRow(
  context: TuningContext,
  seeds: readonly TuningSeed[],
  row: ApproximateMethodSpec,
): TunedRow {
  const { stage, spec } = context
  const label = row.label ?? row.method
  const variants = variantsOf(row, spec)
  const [own] = variants
  if (!own) throw new RangeError(`${label} has no variants`)
  const rounds: TuningRound[] = []
  let count = variants.length
  for (const [i, seed] of seeds.entries()) {
    const before = rounds.at(-1)?.ranking
    const round = ` of round ${i + 1}`
    const trials = Array.from({ length: count }, (_, n) =>
      before
        ? trialStage(
            context,
            seed,
            i,
            { method: own, place: n },
            before,
            `try ${label}, place ${n + 1}${round}`,
          )
        : trialStage(context, seed, i, { method: variants[n] ?? own }, before, `try ${label}, variant ${n}`),
    )
    const inputs = Object.fromEntries(trials.map((trial, n) => [`trial${n + 1}`, ref(trial)] as const))
    const ranking = stage(
      'tune',
      `rank ${label}, round ${i + 1}`,
      { by: spec.tune?.by ?? tuneDefaults.by },
      { ...(before && { tuned: ref(before) }), ...inputs },
    )
    rounds.push({ trials, ranking })
    count = Math.min(count, Math.max(LEAST_VARIANTS, Math.ceil(count / REDUCTION)))
  }
  return { label, rounds }
}

/** One in so many variants goes on to the next round. */
const REDUCTION = 3
/** With a single variant there would be nothing to choose. */
const LEAST_VARIANTS = 2

function trialStage(
  { stage, spec, data: { dataset } }: TuningContext,
  { original, split, originalEvaluation }: TuningSeed,
  i: number,
  variant: { readonly method: ApproximateMethodSpec; readonly place?: number },
  before: StageOf<'tune'> | undefined,
  title: string,
): StageOf<'trial'> {
  const trained = trainedHere(spec)
  if (!trained) throw new Error('the methods of an external model are not tuned')
  return stage(
    'trial',
    title,
    { ...variant, ...trained, seed: tuningSeedsAt(spec, i).unlearning, batchSize: 500 },
    {
      dataset,
      split: ref(split),
      original: ref(original),
      originalEvaluation: ref(originalEvaluation),
      ...(before && { tuned: ref(before) }),
    },
  )
}
