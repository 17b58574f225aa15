import type { Answer, Params } from './answers/answer.ts'
import { comparisonAnswer } from './answers/comparison.ts'
import type { AnswerContext } from './answers/context.ts'
import { featuresAnswer } from './answers/features.ts'
import { imageAnswer } from './answers/images.ts'
import { outcomesAnswer } from './answers/outcomes.ts'
import { runAnswer } from './answers/run.ts'
import { runsAnswer } from './answers/runs.ts'
import { neighboursAnswer, samplesAnswer, scoresAnswer } from './answers/samples.ts'
import { sessionAnswer } from './answers/session.ts'
import { storeAnswer } from './answers/store.ts'
import { sweepAnswer, sweepReportAnswer } from './answers/sweep.ts'
import { sweepsAnswer } from './answers/sweeps.ts'

export type Route = (context: AnswerContext, params: Params) => Promise<Answer>

/**
 * The answers by their paths (`paths` in ui/contract.ts). `:name` is a parameter, which is a whole
 * part of the path but for an ending such as `.png`.
 */
export const routes: Readonly<Record<string, Route>> = {
  'api/session': sessionAnswer,
  'api/runs': runsAnswer,
  'api/runs/:run': runAnswer,
  'api/runs/:run/outcomes': outcomesAnswer,
  'api/runs/:run/samples': samplesAnswer,
  'api/runs/:run/scores/:attack': scoresAnswer,
  'api/runs/:run/neighbours/:sample': neighboursAnswer,
  'api/runs/:run/images/:image': imageAnswer,
  'api/runs/:run/features': featuresAnswer,
  'api/comparisons/:runs': comparisonAnswer,
  'api/sweeps': sweepsAnswer,
  'api/sweeps/:sweep': sweepAnswer,
  'api/sweeps/:sweep/report': sweepReportAnswer,
  'api/store': storeAnswer,
}

/** Returns the route of a path with its parameters, for exports, which make no requests. */
export function routeFor(path: string): { readonly route: Route; readonly params: Params } | undefined {
  const parts = path.split('/')
  for (const [pattern, route] of Object.entries(routes)) {
    const params = paramsOf(pattern.split('/'), parts)
    if (params) return { route, params }
  }
  return undefined
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Params | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, expected] of pattern.entries()) {
    const part = parts[i] ?? ''
    const [, name, ending = ''] = /^:(\w+)(\.\w+)?$/.exec(expected) ?? []
    if (name === undefined ? part !== expected : !part.endsWith(ending) || part.length <= ending.length)
      return undefined
    if (name !== undefined) params[name] = part.slice(0, part.length - ending.length)
  }
  return params
}
