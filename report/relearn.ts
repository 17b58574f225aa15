import { anamnesisIndex } from '../experiment/records/anamnesis.ts'
import type { Measured, RelearnPoint } from '../experiment/records/manifest.ts'
import type { SeedPlan } from '../experiment/plan/plan.ts'
import { ranges, type Figure } from '../experiment/records/results.ts'
import { grouped, significant } from './format.ts'
import { judgedRows, makersOf, type Judged, type JudgedRow } from './judged-rows.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './results.ts'

/** How fast one seed's model learnt the forget set again. */
export interface Relearned {
  readonly steps: Measured
  /** Those over gold's. */
  readonly ain: Measured
  readonly wanted?: number
  readonly curve?: readonly RelearnPoint[]
}

export type RelearnRow = JudgedRow<Relearned>

/** undefined: it was not asked. */
export function relearnRows(input: ReportInput): readonly RelearnRow[] | undefined {
  if (!input.run.spec.relearn) return undefined
  return judgedRows(input, (seed, judged): Relearned => {
    const { relearn } = judged
    const metrics = relearn && manifestOf<'relearn'>(input, relearn)?.metrics
    const steps = stepsOf(input, seed, judged)
    return {
      steps,
      ain: anamnesisIndex(steps, stepsOf(input, seed, seed.reference)),
      ...(metrics && { curve: metrics.curve }),
      ...(metrics?.wanted !== undefined && { wanted: metrics.wanted }),
    }
  })
}

function stepsOf(input: ReportInput, seed: SeedPlan, judged: Judged): Measured {
  const { relearn } = judged
  const finished = relearn && manifestOf<'relearn'>(input, relearn)
  if (finished) return finished.metrics.steps
  const needed = [seed.original, seed.originalEvaluation, ...makersOf(seed, judged), relearn]
  return {
    missing: whyMissing(
      input,
      needed.flatMap((stage) => stage ?? []),
    ),
  }
}

export const relearnColumns = {
  /** A count, or a mean of counts. */
  steps: {
    label: 'Steps',
    write: (value: number) => (Number.isInteger(value) ? grouped(value) : significant(value)),
  },
  ain: { label: 'Anamnesis index', write: significant },
} as const

export type RelearnFigure = keyof typeof relearnColumns
export const relearnFigures = Object.keys(relearnColumns) as readonly RelearnFigure[]

/** A row's figure. Over several seeds it is their mean. */
export function relearnFigure({ seeds }: RelearnRow, name: RelearnFigure): Figure {
  return overSeeds(
    seeds.map((one) => one[name]),
    ranges.positive,
  )
}
