import type { Answer, Params } from './answers/answer.ts'
import { comparisonAnswer } from './answers/comparison.ts'
import type { AnswerContext } from './answers/context.ts'
import { runAnswer } from './answers/run.ts'
import { runsAnswer } from './answers/runs.ts'
import { sessionAnswer } from './answers/session.ts'
import { storeAnswer } from './answers/store.ts'
import { sweepAnswer } from './answers/sweep.ts'
import { sweepsAnswer } from './answers/sweeps.ts'

export type Route = (context: AnswerContext, params: Params) => Promise<Answer>

/** The answers by their paths below `api/` (`paths` in ui/contract.ts). `:name` is a parameter. */
export const routes: Readonly<Record<string, Route>> = {
  session: sessionAnswer,
  runs: runsAnswer,
  'runs/:run': runAnswer,
  'comparisons/:runs': comparisonAnswer,
  sweeps: sweepsAnswer,
  'sweeps/:sweep': sweepAnswer,
  store: storeAnswer,
}
