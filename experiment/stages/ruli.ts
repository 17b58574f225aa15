import type { z } from 'zod'
import { counted } from '../../common/counted.ts'
import type { DescribedFigures } from '../records/described-figures.ts'
import type { Estimate } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import type { Schemas } from '../spec/schemas.ts'
import { defineRequestedStage } from './requested-definition.ts'

function section({ z }: Schemas) {
  return z
    .strictObject({
      select: z
        .number()
        .gt(0)
        .max(1)
        .default(0.25)
        .describe('share of the samples that are attacked, those that shadow models find most vulnerable'),
    })
    .describe(
      'attack every model on the forget samples that shadow models find most vulnerable; needs shadow; not done unless given',
    )
}

type RuliSpec = z.output<ReturnType<typeof section>>

/** The samples that are attacked, and the densities that the attack fits to each sample's φ. */
export const ruliSamples = ['vulnerable', 'all'] as const
export type RuliSamples = (typeof ruliSamples)[number]
export const ruliDensities = ['gaussian', 'kernel'] as const
export type RuliDensity = (typeof ruliDensities)[number]
export const ruliFigures = ['auc', 'balancedAccuracy', 'tprAt1', 'tprAt01'] as const
export type RuliFigure = (typeof ruliFigures)[number]

const sampleNames: Readonly<Record<RuliSamples, string>> = {
  vulnerable: `the most vulnerable samples of ${setNames.forget}`,
  all: setNames.forget,
}

const densities: Readonly<Record<RuliDensity, { readonly name: string; readonly score: string }>> = {
  gaussian: { name: 'Gaussians', score: 's = log N(φ; μ_in, σ_in²) − log N(φ; μ_out, σ_out²)' },
  kernel: {
    name: 'kernel densities',
    score: 's = log k_in(φ) − log k_out(φ), k the mean of N(φ; φ_m, h²) over shadow models, h = σ n^(−1/5)',
  },
}

const figureNames: Readonly<Record<RuliFigure, { readonly name: string; readonly formula: string }>> = {
  auc: { name: 'area under the ROC curve', formula: 'P[s(member) > s(non-member)] + ½ P[equal]' },
  balancedAccuracy: {
    name: 'balanced accuracy',
    formula: '½ (share of members with s > 0 + share of non-members with s < 0), equality counts half',
  },
  tprAt1: {
    name: 'true-positive rate at 1% false positives',
    formula: 'share of members above the lowest threshold with a false-positive rate of at most 1%',
  },
  tprAt01: {
    name: 'true-positive rate at 0.1% false positives',
    formula: 'share of members above the lowest threshold with a false-positive rate of at most 0.1%',
  },
}

const described: DescribedFigures = {
  heading: 'Attack on vulnerable samples',
  introduction: `With \`ruli\` and \`shadow\` in the config. One half of the shadow models selects the samples of the forget set, and as large a share of the test samples, that are
most vulnerable: by (μ_in − μ_out) / √((σ_in² + σ_out²) / 2) of φ. The other half attacks them, and for comparison all samples. An AUC of 0.5 and a balanced accuracy of 0.5 are chance.`,
  list: ruliSamples.flatMap((samples) =>
    ruliDensities.flatMap((density) =>
      ruliFigures.map((figure) => ({
        name: `${samples}.${density}.${figure}`,
        unit: '',
        about: `${figureNames[figure].name} of finding ${sampleNames[samples]} among test samples, with ${densities[density].name}`,
        formula: `${figureNames[figure].formula}, ${densities[density].score}`,
        source: samples === 'all' && density === 'gaussian' ? 'Carlini et al. 2022' : 'Naderloui et al. 2025',
      })),
    ),
  ),
}

/**
 * Attacks one model on samples that were selected as vulnerable in advance, by shadow models that
 * have no part in the attack. The selection reads neither gold nor the attacked model.
 */
export const ruli = defineRequestedStage<{
  readonly options: RuliSpec
  readonly params: { readonly ruli: RuliSpec }
  readonly inputs: {
    readonly split: 'split'
    readonly evaluation: 'evaluate'
    readonly pool: 'pool'
  }
  readonly metrics: {
    /** The numbers of shadow models that select samples and that attack. */
    readonly models: { readonly selecting: number; readonly attacking: number }
    /** The variance of each half (see the stage `membership`). */
    readonly variance: {
      readonly selecting: 'per-sample' | 'pooled'
      readonly attacking: 'per-sample' | 'pooled'
    }
    readonly samples: Readonly<Record<RuliSamples, RuliAttacked>>
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'attacks',
  about: 'attack on vulnerable samples of the forget set, on request',
  work: ({ samples: { vulnerable } }) =>
    `${counted(vulnerable.members, 'member')}, ${counted(vulnerable.nonMembers, 'non-member')}`,
  title: 'Attack on vulnerable samples',
  section,
  example: {},
  needs: 'shadow',
  stage: (options, { inputs: { split, evaluation, pool } }) =>
    pool && { params: { ruli: options }, inputs: { split, evaluation, pool } },
  figures: described,
  tracked: ({ samples }) =>
    ruliSamples.flatMap((of) =>
      ruliDensities.flatMap((density) =>
        ruliFigures.map((name) => ({
          key: `ruli.${of}.${density}.${name}`,
          figure: samples[of].attacks[density][name],
        })),
      ),
    ),
})

/** The attacks on some samples of the forget set. */
export interface RuliAttacked {
  readonly members: number
  readonly nonMembers: number
  /** In [0, 1]. */
  readonly attacks: Readonly<Record<RuliDensity, Readonly<Record<RuliFigure, Estimate>>>>
}
