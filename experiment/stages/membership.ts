import { counted } from '../../common/counted.ts'
import {
  shadowAttacks,
  shadowFigures,
  shadowedSets,
  type Estimate,
  type ShadowAttack,
  type ShadowedSet,
  type ShadowFigure,
} from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import { defineStage } from './definition.ts'

/** The score s of a sample by each attack: the greater it is, the likelier is a member. */
const attacks: Readonly<
  Record<ShadowAttack, { readonly name: string; readonly score: string; readonly source: string }>
> = {
  lira: {
    name: 'LiRA, online (Carlini et al. 2022)',
    score: 's = log N(φ; μ_in, σ_in²) − log N(φ; μ_out, σ_out²)',
    source: 'Carlini et al. 2022',
  },
  liraOffline: {
    name: 'LiRA, offline (Carlini et al. 2022)',
    score: 's = (φ − μ_out) / σ_out',
    source: 'Carlini et al. 2022',
  },
  rmia: {
    name: 'RMIA, γ = 2 (Zarifzadeh et al. 2024)',
    score: 's = share of z with (p(x|θ)/p(x)) / (p(z|θ)/p(z)) ≥ 2',
    source: 'Zarifzadeh et al. 2024',
  },
}

const attackFigures: Readonly<Record<ShadowFigure, { readonly name: string; readonly formula: string }>> = {
  auc: { name: 'area under the ROC curve', formula: 'P[s(member) > s(non-member)] + ½ P[equal]' },
  tprAt1: {
    name: 'true-positive rate at 1% false positives',
    formula: 'share of members above the lowest threshold with a false-positive rate of at most 1%',
  },
  tprAt01: {
    name: 'true-positive rate at 0.1% false positives',
    formula: 'share of members above the lowest threshold with a false-positive rate of at most 0.1%',
  },
}

/** Attacks one model by LiRA and RMIA, from its logits and the pool of shadow models. */
export const membership = defineStage<{
  /** The seed draws samples of the retained set. */
  readonly params: { readonly seed: number }
  readonly inputs: {
    readonly split: 'split'
    readonly evaluation: 'evaluate'
    readonly pool: 'pool'
  }
  readonly metrics: {
    readonly models: number
    /**
     * How LiRA estimates variances: one for each sample, or one for all if the models are too few
     * for that.
     */
    readonly variance: 'per-sample' | 'pooled'
    readonly sets: Readonly<Record<ShadowedSet, ShadowAttacked>>
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'attacks',
  about: 'LiRA and RMIA against a model',
  work: ({ sets: { forget, retained } }) =>
    `${counted(forget.members + retained.members, 'member')}, ${counted(forget.nonMembers + retained.nonMembers, 'non-member')}`,
  figures: {
    heading: 'Attacks by shadow models',
    introduction: `With \`shadow\` in the config. Shadow models are trained on random halves of all samples; "in" are those that trained on the sample, "out" those that did not. An
AUC of 0.5 is chance.`,
    list: shadowedSets.flatMap((set) =>
      shadowAttacks.flatMap((attack) =>
        shadowFigures.map((figure) => ({
          name: `${set}.${attack}.${figure}`,
          unit: '',
          about: `${attackFigures[figure].name} of finding ${setNames[set]} among test samples by ${attacks[attack].name}`,
          formula: `${attackFigures[figure].formula}, ${attacks[attack].score}`,
          source: attacks[attack].source,
        })),
      ),
    ),
  },
  tracked: ({ sets }) =>
    shadowedSets.flatMap((set) =>
      shadowAttacks.flatMap((attack) =>
        shadowFigures.map((name) => ({
          key: `${set}.${attack}.${name}`,
          figure: sets[set].attacks[attack][name],
        })),
      ),
    ),
})

/** The attacks on one set. */
export interface ShadowAttacked {
  /** Samples of the set, and test samples that only shadow models trained on. */
  readonly members: number
  readonly nonMembers: number
  /** In [0, 1]. An AUC of 0.5 is chance. */
  readonly attacks: Readonly<Record<ShadowAttack, Readonly<Record<ShadowFigure, Estimate>>>>
}
