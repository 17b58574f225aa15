import { storedOutcomes } from '../../../activities/outcomes.ts'
import type { Outcomes } from '../../contract.ts'
import type { Answer, Params } from './answer.ts'
import type { AnswerContext } from './context.ts'
import { fromRun } from './run-input.ts'

/** Counts, curves and margins of the models of a run: those of its report, or computed anew. */
export async function outcomesAnswer(context: AnswerContext, { run = '' }: Params): Promise<Answer> {
  const outcomes: Outcomes = await fromRun(context, { name: 'outcomes', run }, (input) =>
    storedOutcomes(context.artifacts, input),
  )
  return { json: outcomes }
}
