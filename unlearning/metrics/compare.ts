import type { EvaluatedSet, StageMetrics } from '../../experiment/records/manifest.ts'
import { accuracy } from './accuracy.ts'
import { activationDistance } from './activation-distance.ts'
import { averageGap } from './average-gap.ts'
import { jsDivergence } from './js-divergence.ts'
import type { Logits } from './logits.ts'
import { combine } from './measured.ts'
import { tow } from './tow.ts'
import { validationGap } from './validation-gap.ts'
import { zrf } from './zrf.ts'

/** What is known of a model: its logits on every set, and how the attack on it went. */
export interface ComparedModel {
  readonly logits: Readonly<Record<EvaluatedSet, Logits>>
  readonly attack: StageMetrics['attack']
}

/**
 * An unlearned model's figures, and its distances to gold, to an untrained twin (its logits on D_f) and to the original, where that
 * is needed: one line a metric.
 */
export function compare(
  unlearned: ComparedModel,
  gold: ComparedModel,
  twin: Logits,
  original?: ComparedModel['logits'],
): StageMetrics['compare'] {
  const own = figures(unlearned)
  const golds = figures(gold)
  const to = gold.logits
  const of = unlearned.logits
  return {
    ra: own.ra,
    ta: own.ta,
    ua: own.ua,
    mia: own.mia,
    averageGap: averageGap(own, golds),
    tow: tow(own, golds),
    activationDistance: {
      forget: activationDistance(of.forget, to.forget),
      retained: activationDistance(of.retained, to.retained),
    },
    jsDivergence: jsDivergence(of.forget, to.forget),
    zrf: zrf(of.forget, twin),
    validationGap: original
      ? validationGap(of, original)
      : { missing: 'no samples are set apart for validation (data.validation)' },
  }
}

/** RA, FA, TA, UA = 100 − FA and the headline MIA-efficacy, in percent. */
function figures({ logits, attack }: ComparedModel) {
  const fa = accuracy(logits.forget)
  return {
    ra: accuracy(logits.retained),
    fa,
    ta: accuracy(logits.test),
    ua: combine({ FA: fa }, ({ FA }) => 100 - FA),
    mia: attack.efficacy.svm.confidence,
  }
}
