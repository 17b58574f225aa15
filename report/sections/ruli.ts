import type { Figure } from '../../experiment/records/results.ts'
import {
  ruliDensities,
  ruliFigures,
  ruliSamples,
  type RuliDensity,
  type RuliFigure,
  type RuliSamples,
} from '../../experiment/stages/ruli.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { counted } from '../../common/counted.ts'
import { attackFigure } from '../attack-figure.ts'
import { figureCell, heading, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

type RuliRow = ModelRow<StageMetrics['ruli'] | { readonly missing: string }>

/** Attacks on samples of the forget set that shadow models found vulnerable. */
export const vulnerable: StageSection = {
  title: 'Attack on vulnerable samples',
  about: 'membership inference on the forget samples that shadow models find most vulnerable',
  needs: '`ruli` and `shadow`',
  blocks: (input) => {
    const rows = ruliRows(input)
    if (!rows) return undefined
    const seeds = describeSeeds(input.run.spec)
    const first = rows.flatMap(({ seeds }) => seeds).find((one) => 'samples' in one)
    const models = first
      ? ` ${first.models.selecting} shadow models select and ${first.models.attacking} others attack.`
      : ''
    return [
      prose(
        `An average over D_f hides samples that are easily found. Shadow models select the samples that training changes most, by the same rule in D_f and among test samples that the model never saw; they know neither the models below nor gold. Other shadow models then attack the selected samples, by Gaussians as in LiRA and by kernel densities.${models} For gold, all of this is chance: an AUC of 0.5 and an accuracy of 50%. ${seeds ? `${seeds}.` : 'Each figure has its 95% interval.'}`,
      ),
      ...ruliSamples.flatMap((samples) => {
        const sizes = first?.samples[samples]
        const columns = ruliDensities.flatMap((density) =>
          ruliFigures.map((name) => ({
            label: figures[name].label,
            group: densityLabels[density],
            split: name === 'auc',
            of: (row: RuliRow) => figureCell(ruliFigure(row, samples, density, name), figures[name].write),
          })),
        )
        const compared = sizes
          ? [
              prose(
                `${counted(sizes.members, 'sample')} of D_f against ${counted(sizes.nonMembers, 'test sample')}.`,
              ),
            ]
          : []
        return [
          heading(titles[samples]),
          ...compared,
          modelTable(titles[samples], `ruli-${samples}`, rows, columns),
        ]
      }),
    ]
  },
  computed: {
    key: 'ruli',
    of: (input) => ruliRows(input)?.map(({ label, seeds }) => ({ label, seeds })),
  },
}

/** Returns undefined if the run has no such attacks. */
export function ruliRows(input: ReportInput): readonly RuliRow[] | undefined {
  const { spec, plan } = input.run
  const { shadow } = plan
  if (!spec.ruli || !shadow) return undefined
  return modelRows(input, (seed, model) => {
    const { evaluate, ruli } = model
    const finished = ruli && manifestOf<'ruli'>(input, ruli)
    if (finished) return finished.metrics
    const needed = [
      ...makersOf(seed, model),
      evaluate,
      ...shadow.models,
      shadow.pool,
      ...(ruli ? [ruli] : []),
    ]
    return { missing: whyMissing(input, needed) }
  })
}

/** A row's figure: the AUC in [0, 1], or another one in percent. */
export function ruliFigure(
  { seeds }: RuliRow,
  samples: RuliSamples,
  density: RuliDensity,
  name: RuliFigure,
): Figure {
  return attackFigure(
    seeds.map((one) => ('missing' in one ? one : one.samples[samples].attacks[density][name])),
    name === 'auc' ? 'share' : 'percent',
  )
}

const figures: Readonly<
  Record<RuliFigure, { readonly label: string; readonly write: (value: number) => string }>
> = {
  auc: { label: 'AUC', write: significant },
  balancedAccuracy: { label: 'Accuracy', write: percent },
  tprAt1: { label: 'TPR at 1%', write: percent },
  tprAt01: { label: 'at 0.1%', write: percent },
}

const densityLabels: Readonly<Record<RuliDensity, string>> = {
  gaussian: 'Gaussians',
  kernel: 'Kernel densities',
}

const titles: Readonly<Record<RuliSamples, string>> = {
  vulnerable: 'The most vulnerable samples of D_f',
  all: 'All samples of D_f, by the same shadow models',
}
