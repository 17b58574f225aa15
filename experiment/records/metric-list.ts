import { classifierNames, scoreDefinitions, scoreNames, type ClassifierName } from './scores.ts'
import {
  evaluatedSets,
  shadowAttacks,
  shadowFigures,
  shadowedSets,
  type EvaluatedSet,
  type ShadowAttack,
  type ShadowFigure,
} from './measured.ts'
import { leastModels } from '../plan/population.ts'
import { metricColumns, type MetricName } from './results.ts'

/** One figure that a run computes for each model. */
export interface MetricLine {
  /** The name in the results or in the manifest of the stage. */
  readonly name: string
  /** The results table, or the kind of stage whose manifest has the figure. */
  readonly in: 'table' | 'evaluate' | 'attack' | 'population' | 'membership' | 'relearn' | 'probe'
  readonly unit: string
  readonly about: string
  /** The definition in symbols, which docs/reference/metrics.md explains. */
  readonly formula: string
  /** The publication that defines the figure, or the reason why no publication is named. */
  readonly source: string
}

const sets: Readonly<Record<EvaluatedSet, string>> = {
  retained: 'the retained set',
  forget: 'the forget set',
  validation: 'the validation samples',
  attackTest: 'the test samples that train attacks',
  test: 'the test samples that are scored',
  forgottenTest: 'the test samples of wholly forgotten classes',
}

const STANDARD = 'standard definition'
const OWN = 'defined by Zeroshift'
const ACTIVATION_DISTANCE =
  'Chundawat et al. 2023 (bad teaching), who cite Golatkar et al. 2021 (mixed-privacy forgetting)'

/** The formulas and sources of the figures of the results table. */
const definitions: Readonly<Record<MetricName, Pick<MetricLine, 'formula' | 'source'>>> = {
  ra: { formula: '100 · mean over x ∈ D_r of [argmax_k z_k(x) = y(x)]', source: STANDARD },
  ua: {
    formula: '100 − FA, FA = 100 · mean over x ∈ D_f of [argmax_k z_k(x) = y(x)]',
    source: 'Fan et al. 2024 (SalUn)',
  },
  ta: {
    formula: '100 · mean over x ∈ D_t, scored half, of [argmax_k z_k(x) = y(x)]',
    source: STANDARD,
  },
  mia: {
    formula: '100 · mean over x ∈ D_f of [a(p_y(x)) < 0], a = svm trained on p_y',
    source: 'Jia et al. 2023; Fan et al. 2024 (SalUn)',
  },
  averageGap: { formula: '(|ΔUA| + |ΔRA| + |ΔTA| + |ΔMIA|) / 4', source: 'Fan et al. 2024 (SalUn)' },
  gapWithoutMia: { formula: '(|ΔUA| + |ΔRA| + |ΔTA|) / 3', source: OWN },
  tow: { formula: '(1 − |ΔFA|/100) (1 − |ΔRA|/100) (1 − |ΔTA|/100)', source: 'Zhao et al. 2024' },
  activationForget: {
    formula: 'mean over x ∈ D_f of ‖p(x) − q(x)‖₂',
    source: ACTIVATION_DISTANCE,
  },
  activationRetained: {
    formula: 'mean over x ∈ D_r of ‖p(x) − q(x)‖₂',
    source: ACTIVATION_DISTANCE,
  },
  jsDivergence: {
    formula: 'mean over x ∈ D_f of JS(p, q), JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2',
    source: 'Lin 1991, with equal weights and in bits; Chundawat et al. 2023 (bad teaching)',
  },
  zrf: {
    formula: '1 − mean over x ∈ D_f of JS(p, p_twin)',
    source: 'Chundawat et al. 2023 (bad teaching)',
  },
  validationGap: { formula: '(|FA − FA_unseen| + |RA − RA_o| + |VA − VA_o|) / 3', source: OWN },
  rte: {
    formula: 'seconds of the unlearning / seconds of retraining',
    source: 'Jia et al. 2023 (run-time efficiency, there an absolute time)',
  },
}

const table = Object.entries(metricColumns).map(([name, { unit, label, about }]): MetricLine => ({
  name,
  in: 'table',
  unit,
  about: `${label}: ${about}`,
  ...definitions[name as MetricName],
}))

const evaluated = evaluatedSets.map((set): MetricLine => ({
  name: `accuracy.${set}`,
  in: 'evaluate',
  unit: '%',
  about: `accuracy on ${sets[set]}`,
  formula: '100 · mean over the set of [argmax_k z_k(x) = y(x)]',
  source: STANDARD,
}))

const classifierFormulas: Readonly<Record<ClassifierName, string>> = {
  svm: 'support-vector classifier, kernel exp(−(s − s′)²), C = 3',
  logistic: 'logistic regression on the standardised s, C = 1',
}

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
      formula: `${
        figure === 'efficacy'
          ? '100 · mean over x ∈ D_f of [a(s(x)) < 0]'
          : '(% of members with a(s) ≥ 0 + % of non-members with a(s) < 0) / 2'
      }, s = ${scoreDefinitions[score].formula}, a = ${classifierFormulas[classifier]}`,
      source: scoreDefinitions[score].source,
    })),
  ),
)

const populations: readonly MetricLine[] = [
  {
    name: 'uLira',
    in: 'population',
    unit: '%',
    about: `accuracy of telling unlearned models from gold by a forget sample (U-LiRA); 50 is gold; from ${leastModels.uLira} seeds on`,
    formula:
      '100 · mean over x ∈ D_f of P[N(φ; μ_u, σ_u²) > N(φ; μ_g, σ_g²)], balanced, of models left out of the fit',
    source: 'Hayes et al. 2024',
  },
  ...(['forget', 'retained', 'test'] as const).map((set): MetricLine => ({
    name: `klom.${set}`,
    in: 'population',
    unit: 'nats',
    about: `divergence of margins to gold on ${sets[set]} (KLoM): mean and 95th percentile; from ${leastModels.klom} seeds on`,
    formula: 'per sample Σ_b u_b log(u_b / g_b), u and g the histograms of φ, clipped to ±100, ε = 10⁻⁵',
    source: 'Georgiev et al. 2024',
  })),
  {
    name: 'forgettingQuality.forgetting',
    in: 'population',
    unit: '',
    about: `forgetting quality of the NeurIPS 2023 challenge: 1 is gold; from ${leastModels.forgettingQuality} seeds on`,
    formula: 'F = mean over x ∈ D_f of 2 / 2^n(ε(x)), n the bin of ε of width ½',
    source: 'Triantafillou et al. 2024',
  },
  {
    name: 'forgettingQuality.score',
    in: 'population',
    unit: '',
    about: 'forgetting quality times the ratios of RA and TA to gold',
    formula: 'F · RA/RA_g · TA/TA_g',
    source: 'Triantafillou et al. 2024',
  },
]

const shadowAttackNames: Readonly<Record<ShadowAttack, string>> = {
  lira: 'LiRA, online (Carlini et al. 2022)',
  liraOffline: 'LiRA, offline (Carlini et al. 2022)',
  rmia: 'RMIA, γ = 2 (Zarifzadeh et al. 2024)',
}
/** What each attack computes of a sample: the greater, the likelier is a member. */
const shadowScores: Readonly<Record<ShadowAttack, string>> = {
  lira: 's = log N(φ; μ_in, σ_in²) − log N(φ; μ_out, σ_out²)',
  liraOffline: 's = (φ − μ_out) / σ_out',
  rmia: 's = share of z with (p(x|θ)/p(x)) / (p(z|θ)/p(z)) ≥ 2',
}
const shadowSources: Readonly<Record<ShadowAttack, string>> = {
  lira: 'Carlini et al. 2022',
  liraOffline: 'Carlini et al. 2022',
  rmia: 'Zarifzadeh et al. 2024',
}
const shadowFigureFormulas: Readonly<Record<ShadowFigure, string>> = {
  auc: 'P[s(member) > s(non-member)] + ½ P[equal]',
  tprAt1: 'share of members above the lowest threshold with a false-positive rate of at most 1%',
  tprAt01: 'share of members above the lowest threshold with a false-positive rate of at most 0.1%',
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
      formula: `${shadowFigureFormulas[figure]}, ${shadowScores[attack]}`,
      source: shadowSources[attack],
    })),
  ),
)

const relearning: readonly MetricLine[] = [
  {
    name: 'steps',
    in: 'relearn',
    unit: 'steps',
    about: "fine-tuning on the forget set until its accuracy is within 5 points of the original's",
    formula: 'least number of steps with FA ≥ FA_o − 5',
    source: 'Tarun et al. 2023 (UNSIR)',
  },
  {
    name: 'ain',
    in: 'relearn',
    unit: '× gold',
    about: 'anamnesis index: those steps over the ones that gold needs',
    formula: 'steps / steps_g',
    source: 'Chundawat et al. 2023 (zero-shot unlearning)',
  },
]

const probes: readonly MetricLine[] = [
  {
    name: 'accuracy',
    in: 'probe',
    unit: '%',
    about: 'forget samples whose class a linear probe recognises in a layer; to compare with gold',
    formula:
      '100 · share of the tested half of D_f where a balanced ridge classifier of the layer’s features finds y',
    source: 'Alain and Bengio 2016',
  },
  ...(['forget', 'retained'] as const).map((set): MetricLine => ({
    name: `cka.${set}`,
    in: 'probe',
    unit: '',
    about: `linear CKA of a layer's features to gold's on ${sets[set]}: 1 is alike`,
    formula: '‖Yᵀ X‖_F² / (‖Xᵀ X‖_F ‖Yᵀ Y‖_F), X and Y the centred features of the model and of gold',
    source: 'Kornblith et al. 2019',
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
