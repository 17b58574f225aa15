import { compare as compareModels } from '../../unlearning/metrics/compare.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

export const compare: StageBody<'compare'> = async ({ artifacts, inputs, timed }) => {
  const unlearned = { logits: await readLogits(artifacts, inputs.evaluation), attack: inputs.attack.metrics }
  const gold = inputs.goldEvaluation &&
    inputs.goldAttack && {
      logits: await readLogits(artifacts, inputs.goldEvaluation),
      attack: inputs.goldAttack.metrics,
    }
  const twin = inputs.twinEvaluation && (await readLogits(artifacts, inputs.twinEvaluation))
  const original = inputs.originalEvaluation && (await readLogits(artifacts, inputs.originalEvaluation))
  const { result, seconds } = await timed(() => compareModels(unlearned, gold, twin?.forget, original))
  return { outputs: {}, metrics: result, seconds }
}
