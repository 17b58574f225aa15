import type { SeedPlan } from '../../experiment/plan/types.ts'
import { anamnesisIndex } from '../../experiment/records/anamnesis.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import type { RelearnPoint } from '../../experiment/stages/relearn.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { figureCell, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { grouped } from '../../common/counted.ts'
import { significant } from '../format.ts'
import { manifestOf, whyMissing, whyUnplanned, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type EvaluatedModel, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

/** How fast one seed's model learnt the forget set again. */
export interface Relearned {
  readonly steps: Measured
  /** The anamnesis index: the steps over those of gold. */
  readonly ain: Measured
  /** The accuracy in percent that ends relearning. */
  readonly wanted?: number
  readonly curve?: readonly RelearnPoint[]
}

export type RelearnRow = ModelRow<Relearned>
type RelearnFigure = 'steps' | 'ain'

/** Relearning time and anamnesis index. */
export const relearning: StageSection = {
  title: 'Learning it again',
  about: 'steps in which each model learns the forget set again',
  needs: '`relearn`',
  blocks: (input) => {
    const rows = relearnRows(input)
    if (!rows) return undefined
    const seeds = describeSeeds(input.run.spec)
    const column = (label: string, name: RelearnFigure, write: (value: number) => string) => ({
      label,
      of: (row: RelearnRow) => figureCell(relearnFigure(row, name), write),
    })
    return [
      prose(
        `Steps of fine-tuning on D_f alone until accuracy on it is within 5 points of the original's. The anamnesis index is those steps over gold's: 1 is gold, and what learns faster still remembers.${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      modelTable('Learning it again', 'relearning', rows, [
        // Steps of one seed are a count; steps over seeds are a mean.
        column('Steps', 'steps', (value) => (Number.isInteger(value) ? grouped(value) : significant(value))),
        column('Anamnesis index', 'ain', significant),
      ]),
    ]
  },
  computed: { key: 'relearning', of: (input) => relearnRows(input) },
}

/** Returns undefined if the run does not relearn. */
export function relearnRows(input: ReportInput): readonly RelearnRow[] | undefined {
  if (!input.run.spec.relearn) return undefined
  return modelRows(input, (seed, model): Relearned => {
    const { relearn } = model
    const metrics = relearn && manifestOf<'relearn'>(input, relearn)?.metrics
    const steps = stepsOf(input, seed, model)
    return {
      steps,
      ain: anamnesisIndex(steps, goldSteps(input, seed)),
      ...(metrics && { curve: metrics.curve }),
      ...(metrics?.wanted !== undefined && { wanted: metrics.wanted }),
    }
  })
}

/** The reason is that of gold itself, which an index of a model repeats. */
function goldSteps(input: ReportInput, seed: SeedPlan): Measured {
  return seed.reference ? stepsOf(input, seed, seed.reference) : { missing: NO_GOLD }
}

function stepsOf(input: ReportInput, seed: SeedPlan, model: EvaluatedModel): Measured {
  const { relearn } = model
  const finished = relearn && manifestOf<'relearn'>(input, relearn)
  if (finished) return finished.metrics.steps
  const unplanned = whyUnplanned(input.run, model, { needsGold: false, needsWeights: true })
  if (unplanned !== undefined) return { missing: unplanned }
  const needed = [seed.original, seed.originalEvaluation, ...makersOf(seed, model), relearn]
  const stages = needed.flatMap((stage) => stage ?? [])
  return { missing: whyMissing(input, stages) }
}

/** A row's figure. Over several seeds it is the mean. */
export function relearnFigure({ seeds }: RelearnRow, name: RelearnFigure): Figure {
  return overSeeds(
    seeds.map((one) => one[name]),
    ranges.positive,
  )
}
