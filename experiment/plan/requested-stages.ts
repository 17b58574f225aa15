import type { JudgedModel } from '../stages/requested-definition.ts'
import {
  requestedByKind,
  requestedKinds,
  type RequestedKind,
  type RequestedSections,
  type RequestedStages,
} from '../stages/requested.ts'
import type { StageOf } from '../stages/stage.ts'
import type { StageMaker } from './stage-maker.ts'

/** Makes the stages that judge one model because the config has a section of their kind. */
export function requestedStages(
  make: StageMaker,
  sections: RequestedSections,
  judged: JudgedModel,
  titleOf: (kind: RequestedKind) => string,
): RequestedStages {
  const stageOf = <K extends RequestedKind>(kind: K): StageOf<K> | undefined => {
    const options = sections[kind]
    if (!options) return undefined
    const made = requestedByKind[kind].stage(options, judged)
    return made && make(kind, titleOf(kind), made.params, made.inputs)
  }
  return requestedKinds.reduce<RequestedStages>((stages, kind) => {
    const stage = stageOf(kind)
    return stage ? { ...stages, [kind]: stage } : stages
  }, {})
}
