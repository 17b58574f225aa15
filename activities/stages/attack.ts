import { stream } from '../../learning/random.ts'
import { miaEfficacy } from '../../unlearning/attacks/mia-efficacy.ts'
import { unusable, type Logits } from '../../unlearning/metrics/logits.ts'
import { unsignedCurve, type UnsignedCurveInput } from '../../unlearning/outcomes/attack-curves.ts'
import { nonMemberPartsOf, nonMembersOf } from '../non-members.ts'
import { checkedScores } from '../runtime/plugin-result.ts'
import { loadPlugin } from '../runtime/plugin.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

export const attack: StageBody<'attack'> = async (context) => {
  const { stage, artifacts, inputs, host, timed } = context
  const { samples, seed, scores = [] } = stage.params
  const logits = await readLogits(artifacts, inputs.evaluation)
  const { retained, forget, test, attackTest } = logits
  const further = new Map<string, (logits: Logits) => Float64Array>()
  for (const { label, plugin, options } of scores) {
    const { score } = await loadPlugin(context, 'score', plugin)
    further.set(label, (set) => checkedScores(plugin.name, set, score(set, options)))
  }
  const { result, seconds } = await timed(() =>
    miaEfficacy(
      { retained, forget, test, nonMembers: attackTest },
      { samples, stream: stream(seed, 'attack', 'members'), host, further },
    ),
  )
  const sets = {
    retained,
    test: [attackTest, test],
    members: forget,
    nonMembers: nonMemberPartsOf(nonMembersOf(inputs.split)).map((part) => logits[part]),
  }
  const curves = [...further].map(([label, score]) => [label, curveOf(score, sets)] as const)
  return {
    outputs: {},
    metrics: { ...result, ...(curves.length > 0 && { curves: Object.fromEntries(curves) }) },
    seconds,
  }
}

function curveOf(score: (logits: Logits) => Float64Array, sets: UnsignedCurveInput) {
  const { retained, test, members, nonMembers } = sets
  const reason = [retained, ...test, members, ...nonMembers].map(unusable).find((one) => one !== undefined)
  return reason === undefined ? unsignedCurve(score, sets) : { missing: reason }
}
