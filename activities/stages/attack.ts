import { stream } from '../../learning/random.ts'
import { miaEfficacy } from '../../unlearning/attacks/mia-efficacy.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { checkedScores } from '../runtime/plugin-result.ts'
import { loadPlugin } from '../runtime/plugin.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

export const attack: StageBody<'attack'> = async (context) => {
  const { stage, artifacts, inputs, host, timed } = context
  const { samples, seed, scores = [] } = stage.params
  const { retained, forget, test, attackTest } = await readLogits(artifacts, inputs.evaluation)
  const further = new Map<string, (logits: Logits) => Float64Array>()
  for (const { label, plugin, options } of scores) {
    const { score } = await loadPlugin(context, 'score', plugin)
    further.set(label, (logits) => checkedScores(plugin.name, logits, score(logits, options)))
  }
  const { result, seconds } = await timed(() =>
    miaEfficacy(
      { retained, forget, test, nonMembers: attackTest },
      { samples, stream: stream(seed, 'attack', 'members'), host, further },
    ),
  )
  return { outputs: {}, metrics: result, seconds }
}
