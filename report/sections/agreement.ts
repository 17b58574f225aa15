import type { Measured } from '../../experiment/records/measured.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { agreementSets, type AgreementSet } from '../../experiment/stages/agreement.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { figureCell, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { significant } from '../format.ts'
import { manifestOf, whyMissing, whyUnplanned, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

type AgreementRow = ModelRow<StageMetrics['agreement'] | { readonly missing: string }>

/** Rank correlation and variance ratio of the margins to gold's, set by set. */
export const agreements: StageSection = {
  title: 'Agreement with gold, sample by sample',
  about: "rank correlation and variance of the margins beside gold's",
  needs: '`agreement`',
  blocks: (input) => {
    const rows = agreementRows(input)
    if (!rows) return undefined
    const seeds = describeSeeds(input.run.spec)
    const sets = agreementSets.filter((set) => set !== 'validation' || input.run.spec.data.validation > 0)
    const columns = sets.flatMap((set) => [
      {
        label: 'Rank',
        group: labels[set],
        split: true,
        of: (row: AgreementRow) => figureCell(agreementFigure(row, set, 'rank'), significant),
      },
      {
        label: 'Variance',
        group: labels[set],
        of: (row: AgreementRow) => figureCell(agreementFigure(row, set, 'variance'), significant),
      },
    ])
    return [
      prose(
        `The margins φ = log(p_y / (1 − p_y)) of a model beside those of gold. Rank is Spearman's correlation over the samples of a set: 1 means that the same samples are easy and hard. Variance is that of the margins over gold's: 1 means that they are as spread out. Two gold models do not agree completely; the floor shows by how much.${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      modelTable('Agreement with gold', 'agreement', rows, columns),
    ]
  },
  computed: { key: 'agreement', of: (input) => agreementRows(input) },
}

/** Returns undefined if the run does not measure the agreement. */
export function agreementRows(input: ReportInput): readonly AgreementRow[] | undefined {
  if (!input.run.spec.agreement) return undefined
  return modelRows(input, (seed, model) => {
    const { evaluate, agreement } = model
    const finished = agreement && manifestOf<'agreement'>(input, agreement)
    if (finished) return finished.metrics
    const unplanned = whyUnplanned(input.run, model, { needsGold: true, needsWeights: false })
    if (unplanned !== undefined) return { missing: unplanned }
    const needed = [
      ...makersOf(seed, model),
      evaluate,
      ...seed.gold.slice(0, 1),
      ...(seed.reference ? [seed.reference.evaluate] : []),
      ...(agreement ? [agreement] : []),
    ]
    return { missing: whyMissing(input, needed) }
  })
}

/** A row's figure. Over several seeds it is the mean. */
export function agreementFigure(
  { seeds }: AgreementRow,
  set: AgreementSet,
  name: 'rank' | 'variance',
): Figure {
  return overSeeds(
    seeds.map((one): Measured => ('missing' in one ? one : one[set][name])),
    name === 'rank' ? [-1, 1] : ranges.positive,
  )
}

const labels: Readonly<Record<AgreementSet, string>> = {
  forget: 'D_f',
  retained: 'D_r',
  validation: 'Validation',
  test: 'Test',
}
