import type { Answer } from './answers/answer.ts'
import type { AnswerContext } from './answers/context.ts'
import { imageAnswer } from './answers/images.ts'
import { outcomesAnswer } from './answers/outcomes.ts'
import { runAnswer, type Params } from './answers/run.ts'
import { runsAnswer } from './answers/runs.ts'
import { neighboursAnswer, samplesAnswer } from './answers/samples.ts'
import { sessionAnswer } from './answers/session.ts'

export type Route = (context: AnswerContext, params: Params) => Promise<Answer>

/** The answers by their paths below `api/` (`paths` in ui/contract.ts). `:name` is a parameter. */
export const routes: Readonly<Record<string, Route>> = {
  session: sessionAnswer,
  runs: runsAnswer,
  'runs/:run': runAnswer,
  'runs/:run/outcomes': outcomesAnswer,
  'runs/:run/samples': samplesAnswer,
  'runs/:run/neighbours/:sample': neighboursAnswer,
  'runs/:run/images/:image': imageAnswer,
}
