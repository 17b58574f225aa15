import type { EvaluatedSet } from '../../experiment/records/measured.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { accuracy } from './accuracy.ts'
import { activationDistance } from './activation-distance.ts'
import { averageGap } from './average-gap.ts'
import { jsDivergence } from './js-divergence.ts'
import type { Logits } from './logits.ts'
import { combine } from './measured.ts'
import { tow } from './tow.ts'
import { validationGap } from './validation-gap.ts'
import { zrf } from './zrf.ts'

/** A model's logits on every set and the results of the attack on it. */
export interface EvaluatedModel {
  readonly logits: Readonly<Record<EvaluatedSet, Logits>>
  readonly attack: StageMetrics['attack']
}

/**
 * The figures of an unlearned model and its distances to gold, to an untrained model (its logits on
 * D_f; absent if there is none) and, for the validation gap, to the original. Distances to gold are
 * missing without gold.
 */
export function compare(
  unlearned: EvaluatedModel,
  gold: EvaluatedModel | undefined,
  twin: Logits | undefined,
  original?: EvaluatedModel['logits'],
): StageMetrics['compare'] {
  const own = figures(unlearned)
  const of = unlearned.logits
  return {
    ra: own.ra,
    ta: own.ta,
    ua: own.ua,
    mia: own.mia,
    ...(gold ? distances(unlearned, gold) : withoutGold),
    zrf: twin
      ? zrf(of.forget, twin)
      : { missing: 'an external program trains the models, and makes no untrained one' },
    validationGap: original
      ? validationGap(of, original)
      : { missing: 'no samples are set apart for validation (data.validation)' },
  }
}

function distances(unlearned: EvaluatedModel, gold: EvaluatedModel) {
  const [own, golds] = [figures(unlearned), figures(gold)]
  const [of, to] = [unlearned.logits, gold.logits]
  return {
    averageGap: averageGap(own, golds),
    tow: tow(own, golds),
    activationDistance: {
      forget: activationDistance(of.forget, to.forget),
      retained: activationDistance(of.retained, to.retained),
    },
    jsDivergence: jsDivergence(of.forget, to.forget),
  }
}

const missing = { missing: NO_GOLD }
const withoutGold = {
  averageGap: missing,
  tow: missing,
  activationDistance: { forget: missing, retained: missing },
  jsDivergence: missing,
}

/** RA, FA, TA, UA = 100 − FA and the headline MIA-efficacy (SVM on confidence), in percent. */
function figures({ logits, attack }: EvaluatedModel) {
  const fa = accuracy(logits.forget)
  return {
    ra: accuracy(logits.retained),
    fa,
    ta: accuracy(logits.test),
    ua: combine({ FA: fa }, ({ FA }) => 100 - FA),
    mia: attack.efficacy.svm.confidence,
  }
}
