import { leastModels, measuredULira, trueAccuracies } from '../../experiment/plan/population.ts'
import type { Estimate } from '../../experiment/records/measured.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { figureCell, note, prose, type FullCell } from '../blocks.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { modelTable } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

/** Figures of the models of all seeds together: U-LiRA, KLoM and forgetting quality. */
export const population: StageSection = {
  title: 'Populations',
  about: 'U-LiRA, forgetting quality, KLoM',
  needs: '8, 32 and 64 `seeds`',
  blocks: (input) => {
    const { population, candidates } = input.run.plan
    if (!population) return undefined
    const models = input.run.spec.seeds ?? 1
    const rows = population.map((row) => ({
      ...row,
      isFloor: !candidates.some(({ label }) => label === row.label),
    }))
    const floor = rows.some(({ isFloor }) => isFloor)
      ? 'the last rows, gold against gold, show by how much'
      : 'second gold models (gold.models: 2) would show by how much'
    const column = (label: string, of: (metrics: StageMetrics['population']) => FullCell, unit = '') => ({
      label,
      unit,
      of: ({ stage }: (typeof rows)[number]): FullCell => {
        const metrics = manifestOf<'population'>(input, stage)?.metrics
        return metrics ? of(metrics) : { text: 'n/a', note: whyMissing(input, [stage]) }
      },
    })
    return [
      prose(
        `Each method's ${models} models against the ${models} gold models of the same seeds, sample by sample, by φ = log(p_y / (1 − p_y)). U-LiRA is the accuracy of telling the two kinds apart on D_f (50 is ideal), with its 95% interval; KLoM the divergence of their distributions in nats (the mean, and as the second figure the 95th percentile), F the forgetting quality of the NeurIPS 2023 challenge, and the score F times the ratios of RA and TA to gold's. Distributions of ${models} models differ by chance: ${floor}.`,
      ),
      modelTable('Populations', 'population', rows, [
        column('U-LiRA', ({ uLira }) => figureCell(withBothEnds(uLira), percent), '%'),
        ...(['forget', 'retained', 'test'] as const).map((set) =>
          column(`KLoM D_${set[0]}`, ({ klom: { [set]: klom } }) => ({
            ...figureCell(klom.mean, significant),
            beside: 'value' in klom.percentile95 ? significant(klom.percentile95.value) : undefined,
          })),
        ),
        column('F', ({ forgettingQuality }) => figureCell(forgettingQuality.forgetting, significant)),
        column('Score', ({ forgettingQuality }) => figureCell(forgettingQuality.score, significant)),
      ]),
      ...biasesOf(models).map((bias) => note(bias)),
    ]
  },
  computed: {
    key: 'population',
    of: (input: ReportInput) =>
      input.run.plan.population?.map(({ label, stage }) => ({
        label,
        ...(manifestOf<'population'>(input, stage)?.metrics ?? { missing: whyMissing(input, [stage]) }),
      })),
  },
}

function withBothEnds(estimate: Estimate) {
  if ('missing' in estimate) return estimate
  const { value, interval } = estimate
  return { value, ...(interval && { between: interval }) }
}

/** Known biases of figures that come from this number of models of each kind. */
function biasesOf(models: number): readonly string[] {
  const pairs = trueAccuracies.map((truth) => `${measuredULira(truth, models).toFixed(1)}% for ${truth}%`)
  return [
    ...(models >= leastModels.uLira
      ? [
          `With ${models} models of each kind, U-LiRA measures less than the best attack achieves, on average ${pairs.slice(0, -1).join(', ')} and ${pairs.at(-1) ?? ''} (simulated with normal margins).`,
        ]
      : []),
    ...(models >= leastModels.klom
      ? [
          "KLoM has the 20 edges (19 bins) of the paper's code, which loses the greatest margin. Here it is in the last bin, which adds 0.02 to 0.07 nats to means with 64 models.",
        ]
      : []),
  ]
}
