import { grouped } from '../../common/counted.ts'
import { meanGap } from '../../experiment/records/mean-gap.ts'
import type { TunedRow, TuningPlan } from '../../experiment/plan/types.ts'
import { optionOf, tuningOf } from '../../experiment/spec/variants.ts'
import { trialStages, tuningSeedStages } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import type { RankedVariant } from '../../experiment/stages/tune.ts'
import { prose, type Cell, type Row } from '../blocks.ts'
import { describeOptions } from '../describe.ts'
import { duration, percent } from '../format.ts'
import { manifestOf, tuningStagesOf, whyMissing, type ReportInput } from '../input.ts'
import type { StageSection } from './stage-section.ts'

/** How the options of one row were chosen. */
interface TuningResult {
  readonly label: string
  /** The number of variants that were tried, the options of the config among them. */
  readonly variants: number
  /** Optimizer steps of all trials that did not fail. */
  readonly steps: number
  /** All variants, the chosen one first, or the reason why none was chosen. */
  readonly ranking: readonly RankedVariant[] | { readonly missing: string }
}

/** The choice of options by trials, and its cost. */
export const tuning: StageSection = {
  title: 'Tuning',
  about: 'variants of each method that were tried, the chosen options and the cost of the choice',
  needs: '`tune`',
  blocks: (input) => {
    const { plan } = input.run
    if (!plan.tuning) return undefined
    const untuned = plan.candidates.flatMap(({ label, unlearn }) =>
      unlearn && !unlearn.inputs.tuned ? [label] : [],
    )
    return [
      prose(
        `The options of each method were chosen among several variants by the mean validation gap over ${plan.tuning.seeds.length} tuning seeds, with models and forget sets that no other part of this report uses. ` +
          (plan.tuning.seeds.length > 1 ? 'The best third went on from each seed to the next. ' : '') +
          'The gap is computed without gold and without test samples. Variant 0 has the options of the config.' +
          (untuned.length > 0 ? ` Not tuned: ${untuned.join(', ')}.` : ''),
      ),
      {
        kind: 'table',
        name: 'Tuning',
        id: 'tuning',
        columns: [
          { label: 'Model' },
          { label: 'Variants' },
          { label: 'Failed' },
          { label: 'Chosen', text: true },
          { label: 'Gap', unit: 'points' },
          { label: 'Gap as written', unit: 'points' },
          { label: 'Gaps of the others', unit: 'points' },
          { label: 'Steps' },
          { label: 'Time' },
        ],
        rows: [...plan.tuning.rows.map((row) => rowOf(input, row)), sharedRow(input, plan.tuning)],
      },
    ]
  },
  computed: {
    key: 'tuning',
    of: (input) => input.run.plan.tuning?.rows.map((row) => tuningResult(input, row)),
  },
}

function tuningResult(input: ReportInput, row: TunedRow): TuningResult {
  const { label, rounds } = row
  const ranking = rounds.at(-1)?.ranking
  const found = ranking && manifestOf<'tune'>(input, ranking)?.metrics.ranking
  const trials = rounds.flatMap(({ trials }) => trials)
  const { tuning: plan } = input.run.plan
  return {
    label,
    variants: rounds[0]?.trials.length ?? 0,
    steps: trials.reduce((sum, trial) => sum + (manifestOf<'trial'>(input, trial)?.metrics.steps ?? 0), 0),
    ranking: found ?? { missing: whyMissing(input, plan ? tuningStagesOf(plan, row) : []) },
  }
}

function rowOf(input: ReportInput, row: TunedRow): Row {
  const { spec } = input.run
  const { label, variants, steps, ranking } = tuningResult(input, row)
  const cost = [grouped(steps), duration(secondsOf(input, trialStages(row)))]
  if ('missing' in ranking) {
    const missing: Cell = { text: 'n/a', note: ranking.missing }
    return { cells: [label, String(variants), missing, '', '', '', '', ...cost], style: 'missing' }
  }
  const [chosen, ...others] = ranking
  const written = ranking.find(({ variant }) => variant === 0)
  const paths = spec.methods
    .filter((one) => (one.label ?? one.method) === label)
    .flatMap((one) => Object.keys(tuningOf(one, spec)?.space ?? {}))
  const known = others.flatMap((variant) => meanGap(variant.gaps) ?? [])
  return {
    cells: [
      label,
      String(variants),
      String(ranking.filter((variant) => meanGap(variant.gaps) === undefined).length),
      chosen ? choiceOf(chosen, paths) : '',
      gapCell(chosen),
      gapCell(written),
      known.length > 0 ? `${percent(Math.min(...known))} – ${percent(Math.max(...known))}` : '–',
      ...cost,
    ],
  }
}

/** The cost of the models that the trials of all rows share. */
function sharedRow(input: ReportInput, { seeds }: TuningPlan): Row {
  const stages = seeds.flatMap(tuningSeedStages)
  const cells = ['Originals of the tuning seeds', '', '', '', '', '', '', '']
  return { cells: [...cells, duration(secondsOf(input, stages))], style: 'total' }
}

/** `variant 3: epochs 4, optimizer.learningRate 0.0123`. */
function choiceOf({ variant, method }: RankedVariant, paths: readonly string[]): string {
  if (variant === 0) return 'variant 0, as written'
  const options = Object.fromEntries(paths.map((path) => [path, optionOf(method, path)]))
  return `variant ${variant}: ${describeOptions(options)}`
}

function gapCell(variant: RankedVariant | undefined): Cell {
  const gap = variant && meanGap(variant.gaps)
  if (gap !== undefined) return { text: percent(gap), isNumber: true }
  const reason = variant?.gaps.flatMap((one) => ('missing' in one ? one.missing : []))[0]
  return { text: 'n/a', note: reason ?? 'the variant was not tried' }
}

function secondsOf(input: ReportInput, stages: readonly Stage[]): number {
  return stages.reduce((sum, { key }) => sum + (input.manifests[key]?.clock.seconds ?? 0), 0)
}
