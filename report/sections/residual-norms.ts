import type { NormPoint, ResidualNorms } from '../../experiment/stages/unlearn.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import { prose } from '../blocks.ts'
import { mostSteps, normHeat } from '../charts/norms.ts'
import { significant } from '../format.ts'
import { manifestOf, modelsBehind, whyMissing, type ReportInput } from '../input.ts'
import { meanNorms } from '../over-seeds.ts'
import { missingSeeds } from './missing-seeds.ts'
import type { StageSection } from './stage-section.ts'

/** The residual norms of a row. */
export interface NormRow {
  readonly label: string
  /** One entry for each seed. */
  readonly seeds: readonly (ResidualNorms | { readonly missing: string })[]
}

/** Norms of the residuals of feature alignment at each layer, over the steps. */
export const residualNorms: StageSection = {
  title: 'Residual norms by layer',
  about: 'the norm of the residual at every aligned layer, on both sets over the steps',
  needs: '`norms` of `rfa`',
  blocks: (input) => {
    const rows = normRows(input) ?? []
    const drawn = rows.flatMap(({ label, seeds }) => {
      const norms = meanNorms(seeds.flatMap((seed) => ('points' in seed ? [seed] : [])))
      return norms ? [{ label, norms }] : []
    })
    if (drawn.length === 0) return undefined
    const most = drawn
      .flatMap(({ norms }) => norms.points.flatMap(allOf))
      .reduce((greatest, norm) => Math.max(greatest, norm), 0)
    const isThinned = drawn.some(({ norms }) => norms.points.length > mostSteps)
    return [
      prose(
        [
          'Root mean square of ‖r‖ on the batches of a step, relative to that of the frozen feature ‖f‖ over D_r, layer by layer from the input down to the output. ',
          'Before the first step (0) there is no residual, unless the adapter starts at the closed form. ',
          `The stronger a cell, the greater the norm; the strongest of all is ${significant(most)}.`,
          isThinned ? ` At most ${mostSteps} of the steps are drawn.` : '',
          input.run.plan.seeds ? ' Norms are means over the seeds.' : '',
        ].join(''),
      ),
      {
        kind: 'charts',
        size: 'pairs',
        charts: drawn.map(({ label, norms }) => ({
          title: label,
          description: `${label}: ${lastWords(norms)}`,
          spec: normHeat(norms, most),
        })),
      },
      ...missingSeeds(rows),
    ]
  },
  computed: { key: 'residualNorms', of: (input) => normRows(input) },
}

/** Returns undefined if no row measures the norms of its residuals. */
export function normRows(input: ReportInput): readonly NormRow[] | undefined {
  const rows = modelsBehind(input.run.plan).flatMap((models): NormRow[] => {
    const label = models[0]?.candidate.label ?? ''
    const stages = models.flatMap(({ candidate: { unlearn } }) =>
      unlearn && isMeasured(unlearn) ? [unlearn] : [],
    )
    return stages.length > 0 ? [{ label, seeds: stages.map((stage) => normsOf(input, stage)) }] : []
  })
  return rows.length > 0 ? rows : undefined
}

function isMeasured({ params }: StageOf<'unlearn'>): boolean {
  return 'method' in params && params.method.method === 'rfa' && params.method.norms !== undefined
}

function normsOf(input: ReportInput, stage: StageOf<'unlearn'>): NormRow['seeds'][number] {
  return manifestOf<'unlearn'>(input, stage)?.metrics.norms ?? { missing: whyMissing(input, [stage]) }
}

const allOf = ({ retained, forget }: NormPoint) => [...retained, ...forget]

function lastWords({ layers, points }: ResidualNorms): string {
  const last = points.at(-1)
  if (!last) return 'no norm'
  const range = (norms: readonly number[]) =>
    layers.length === 1
      ? significant(norms[0] ?? NaN)
      : `${significant(Math.min(...norms))} to ${significant(Math.max(...norms))}`
  return `after step ${last.step}, the norms of ${layers.length === 1 ? 'the layer' : `the ${layers.length} layers`} are ${range(last.retained)} on retained and ${range(last.forget)} on forget samples.`
}
