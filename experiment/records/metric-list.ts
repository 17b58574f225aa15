import { requestedKinds } from '../stages/requested.ts'
import { settingsByKind, stageKinds, type StageKind } from '../stages/stage.ts'
import { OWN, STANDARD, type FigureDescription } from './described-figures.ts'
import { metricColumns, type MetricName } from './results.ts'

/** One figure that a run computes for each model. */
export interface MetricLine extends FigureDescription {
  /** The results table, or the kind of stage whose manifest has the figure. */
  readonly in: 'table' | StageKind
}

const ACTIVATION_DISTANCE =
  'Chundawat et al. 2023 (bad teaching), who cite Golatkar et al. 2021 (mixed-privacy forgetting)'

/** The formulas and sources of the figures of the results table. */
const definitions: Readonly<Record<MetricName, Pick<FigureDescription, 'formula' | 'source'>>> = {
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

const ofStages = stageKinds.flatMap((kind) =>
  (settingsByKind[kind].figures?.list ?? []).map(({ name, ...rest }): MetricLine => ({
    name,
    in: kind,
    ...rest,
  })),
)

/**
 * Every figure. The figures of the results table come first, in its order. Population figures need
 * several seeds, membership figures need shadow models, and those of requested stages need a
 * section of the config.
 */
export const metricList: readonly MetricLine[] = [...table, ...ofStages]

/** The experiments whose reports have the figures of a place, in words. */
export function reportsWith(place: MetricLine['in']): string {
  if (place === 'table') return 'every report, in the table of results'
  if (place === 'population') return 'reports of experiments with 3 `seeds` or more'
  if (place === 'membership') return 'reports of experiments with the section `shadow`'
  if (place === 'trial') return 'reports of experiments with the section `tune`'
  return requestedKinds.some((kind) => kind === place)
    ? `reports of experiments with the section \`${place}\``
    : 'every report'
}
