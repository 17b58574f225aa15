import { agreementSets, type Agreement, type AgreementSet } from '../../experiment/stages/agreement.ts'
import { agreement as compareMargins } from '../../unlearning/population/agreement.ts'
import { margins } from '../../unlearning/population/margin.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

export const agreement: StageBody<'agreement'> = async ({ artifacts, inputs, timed }) => {
  const own = await readLogits(artifacts, inputs.evaluation)
  const gold = await readLogits(artifacts, inputs.goldEvaluation)
  const { result, seconds } = await timed(() =>
    agreementSets.map((set): readonly [AgreementSet, Agreement] => [
      set,
      compareMargins(margins(own[set]), margins(gold[set])),
    ]),
  )
  return {
    outputs: {},
    metrics: Object.fromEntries(result) as Readonly<Record<AgreementSet, Agreement>>,
    seconds,
  }
}
