import type { ManifestOf } from '../../experiment/records/manifest.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import type { SeedPlan } from '../../experiment/plan/types.ts'
import { figureCell, prose } from '../blocks.ts'
import { grouped } from '../../common/counted.ts'
import { describeSeeds } from '../describe.ts'
import { duration, significant } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { isOverlapped, OVERLAPPED, signs } from '../marks.ts'
import { overSeeds } from '../over-seeds.ts'
import { seenByMethod, seenInTraining } from '../samples-seen.ts'
import { makersOf, modelRows, modelTable, type EvaluatedModel, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

/** The cost of one seed's model. */
export interface Cost {
  readonly steps: Measured
  readonly samples: Measured
  readonly seconds: Measured
  /** The samples over those of the first gold model of the seed. */
  readonly relative: Measured
  /** Whether the machine did other work while the seconds were measured. */
  readonly overlapped: boolean
}

export type CostRow = ModelRow<Cost>
export type CostFigure = Exclude<keyof Cost, 'overlapped'>

/** Steps, samples seen and seconds of every model. They are in no digest, as RTE is not. */
export const cost: StageSection = {
  title: 'Cost',
  about: 'steps, samples seen and time of every model',
  blocks: (input) => {
    const rows = costRows(input)
    const seeds = describeSeeds(input.run.spec)
    const column = (label: string, name: CostFigure, write: (value: number) => string, unit = '') => ({
      label,
      unit,
      of: (row: CostRow) => ({
        ...figureCell(costFigure(row, name), write),
        mark: name === 'seconds' && isMarked(row) ? signs.timesOverlapped : undefined,
      }),
    })
    return [
      prose(
        `Seconds depend on the machine and on what else it does; steps and samples do not. Samples seen are the samples that pass forward and backward through the model, as often as they do; passes forward alone, such as those of a frozen teacher, are not counted, and a pass through some layers counts like one through all. Retraining is the gold model of the same seed.${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      {
        ...modelTable('Cost', 'cost', rows, [
          column('Steps', 'steps', whole),
          column('Samples seen', 'samples', whole),
          column('Samples', 'relative', significant, '× retrain'),
          column('Time', 'seconds', duration),
        ]),
        notes: rows.some(isMarked) ? [`${signs.timesOverlapped} ${OVERLAPPED}`] : [],
      },
    ]
  },
}

const whole = (value: number) => grouped(Math.round(value))

export function costRows(input: ReportInput): readonly CostRow[] {
  return modelRows(input, (seed, model) => costOf(input, seed, model))
}

/** A row's figure. Over several seeds it is the mean. */
export function costFigure({ seeds }: CostRow, name: CostFigure): Figure {
  return overSeeds(
    seeds.map((one) => one[name]),
    ranges.positive,
  )
}

const isMarked = ({ seeds }: CostRow) => seeds.some(({ overlapped }) => overlapped)

function costOf(input: ReportInput, seed: SeedPlan, model: EvaluatedModel): Cost {
  const nothing = { value: 0 }
  if ('method' in model && model.method === 'original')
    return { steps: nothing, samples: nothing, seconds: nothing, relative: nothing, overlapped: false }
  const maker = makersOf(seed, model).at(-1)
  const manifest = maker && input.manifests[maker.key]
  if (manifest?.kind !== 'train' && manifest?.kind !== 'unlearn') {
    const missing = { missing: whyMissing(input, makersOf(seed, model)) }
    return { steps: missing, samples: missing, seconds: missing, relative: missing, overlapped: false }
  }
  if (manifest.kind === 'train' && manifest.params.on === 'given') {
    const missing = { missing: ELSEWHERE }
    return { steps: missing, samples: missing, seconds: missing, relative: missing, overlapped: false }
  }
  const samples = samplesOf(input, manifest)
  const [gold] = seed.gold
  const retraining = gold && manifestOf<'train'>(input, gold)
  const ofGold: Measured = retraining
    ? samplesOf(input, retraining)
    : { missing: gold ? whyMissing(input, [gold]) : NO_GOLD }
  return {
    steps: { value: manifest.metrics.steps },
    samples,
    seconds: { value: manifest.clock.seconds },
    relative: retraining ? ratio(samples, ofGold) : ofGold,
    overlapped: isOverlapped(manifest.clock),
  }
}

const ELSEWHERE = 'the model was made elsewhere, and what that took is not known'

/** The samples that a training or a method saw. */
function samplesOf(input: ReportInput, made: ManifestOf<'train'> | ManifestOf<'unlearn'>): Measured {
  const { plan, facts } = input.run
  const split = manifestOf<'split'>(input, plan.split)
  if (!split) return { missing: whyMissing(input, [plan.split]) }
  const { retained, forget, forgottenClasses } = split.metrics
  if ('program' in made.params)
    return { missing: 'how many samples pass through the model of an external program is not known' }
  if (made.kind === 'train') {
    if (made.params.on === 'given') return { missing: ELSEWHERE }
    const size = made.params.on === 'retained' ? retained : retained + forget
    return { value: seenInTraining(made.params, made.metrics, size) }
  }
  return seenByMethod(made.params, made.metrics, {
    retained,
    forget,
    classes: facts.classes.length,
    forgottenClasses: forgottenClasses.length,
  })
}

function ratio(own: Measured, gold: Measured): Measured {
  if ('missing' in own) return own
  if ('missing' in gold) return { missing: `gold: ${gold.missing}` }
  return gold.value > 0 ? { value: own.value / gold.value } : { missing: 'gold saw no samples' }
}
