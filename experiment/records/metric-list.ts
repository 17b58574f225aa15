import {
  evaluatedSets,
  shadowAttacks,
  shadowedSets,
  shadowFigures,
  type EvaluatedSet,
  type ShadowAttack,
  type ShadowFigure,
} from './manifest.ts'
import { leastModels } from '../plan/population.ts'
import { metricColumns } from './results.ts'
import { classifierNames, scoreNames } from '../spec/spec.ts'

/** One figure that a run computes for each model. */
export interface MetricLine {
  /** The name in the results or in the manifest of the stage. */
  readonly name: string
  /** The results table, or the kind of stage whose manifest has the figure. */
  readonly in: 'table' | 'evaluate' | 'attack' | 'population' | 'membership' | 'relearn' | 'probe'
  readonly unit: string
  readonly about: string
}

const sets: Readonly<Record<EvaluatedSet, string>> = {
  retained: 'the retained set',
  forget: 'the forget set',
  validation: 'the validation samples',
  attackTest: 'the test samples that train attacks',
  test: 'the test samples that are scored',
  forgottenTest: 'the test samples of wholly forgotten classes',
}

const table = Object.entries(metricColumns).map(([name, { unit, label, about }]): MetricLine => ({
  name,
  in: 'table',
  unit,
  about: `${label}: ${about}`,
}))

const evaluated = evaluatedSets.map((set): MetricLine => ({
  name: `accuracy.${set}`,
  in: 'evaluate',
  unit: '%',
  about: `accuracy on ${sets[set]}`,
}))

const attacked = (['efficacy', 'accuracy'] as const).flatMap((figure) =>
  classifierNames.flatMap((classifier) =>
    scoreNames.map((score): MetricLine => ({
      name: `${figure}.${classifier}.${score}`,
      in: 'attack',
      unit: '%',
      about:
        figure === 'efficacy'
          ? `${metricColumns.mia.about}, by ${classifier} on ${score}`
          : `balanced accuracy of the attack by ${classifier} on ${score}, on samples that did not train it`,
    })),
  ),
)

const populations: readonly MetricLine[] = [
  {
    name: 'uLira',
    in: 'population',
    unit: '%',
    about: `accuracy of telling unlearned models from gold by a forget sample (U-LiRA); 50 is gold; from ${leastModels.uLira} seeds on`,
  },
  ...(['forget', 'retained', 'test'] as const).map((set): MetricLine => ({
    name: `klom.${set}`,
    in: 'population',
    unit: 'nats',
    about: `divergence of margins to gold on ${sets[set]} (KLoM): mean and 95th percentile; from ${leastModels.klom} seeds on`,
  })),
  {
    name: 'forgettingQuality.forgetting',
    in: 'population',
    unit: '',
    about: `forgetting quality of the NeurIPS 2023 challenge: 1 is gold; from ${leastModels.forgettingQuality} seeds on`,
  },
  {
    name: 'forgettingQuality.score',
    in: 'population',
    unit: '',
    about: 'the same times the ratios of RA and TA to gold',
  },
]

const shadowAttackNames: Readonly<Record<ShadowAttack, string>> = {
  lira: 'LiRA, online (Carlini et al. 2022)',
  liraOffline: 'LiRA, offline (Carlini et al. 2022)',
  rmia: 'RMIA, γ = 2 (Zarifzadeh et al. 2024)',
}
const shadowFigureNames: Readonly<Record<ShadowFigure, string>> = {
  auc: 'area under the ROC curve',
  tprAt1: 'true-positive rate at 1% false positives',
  tprAt01: 'true-positive rate at 0.1% false positives',
}

const memberships = shadowedSets.flatMap((set) =>
  shadowAttacks.flatMap((attack) =>
    shadowFigures.map((figure): MetricLine => ({
      name: `${set}.${attack}.${figure}`,
      in: 'membership',
      unit: '',
      about: `${shadowFigureNames[figure]} of finding ${sets[set]} among test samples by ${shadowAttackNames[attack]}`,
    })),
  ),
)

const relearning: readonly MetricLine[] = [
  {
    name: 'steps',
    in: 'relearn',
    unit: 'steps',
    about: "fine-tuning on the forget set until its accuracy is within 5 points of the original's",
  },
  {
    name: 'ain',
    in: 'relearn',
    unit: '× gold',
    about: 'anamnesis index: those steps over the ones that gold needs',
  },
]

const probes: readonly MetricLine[] = [
  {
    name: 'accuracy',
    in: 'probe',
    unit: '%',
    about: 'forget samples whose class a linear probe recognises in a layer; to compare with gold',
  },
  ...(['forget', 'retained'] as const).map((set): MetricLine => ({
    name: `cka.${set}`,
    in: 'probe',
    unit: '',
    about: `linear CKA of a layer's features to gold's on ${sets[set]}: 1 is alike`,
  })),
]

/**
 * Every figure. The figures of the results table come first, in its order. Population figures need
 * several seeds, membership figures need shadow models, and the last ones need `relearn` and
 * `probe` in the config.
 */
export const metricList: readonly MetricLine[] = [
  ...table,
  ...evaluated,
  ...attacked,
  ...populations,
  ...memberships,
  ...relearning,
  ...probes,
]
