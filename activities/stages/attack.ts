import { stream } from '../../learning/random.ts'
import { miaEfficacy } from '../../unlearning/attacks/mia-efficacy.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

export const attack: StageBody<'attack'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { samples, seed } = stage.params
  const { retained, forget, test, attackTest } = await readLogits(artifacts, inputs.evaluation)
  const { result, seconds } = await timed(() =>
    miaEfficacy(
      { retained, forget, test, nonMembers: attackTest },
      { samples, stream: stream(seed, 'attack', 'members'), host },
    ),
  )
  return { outputs: {}, metrics: result, seconds }
}
