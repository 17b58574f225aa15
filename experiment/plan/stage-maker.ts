import type { ProgramExecution } from '../spec/program.ts'
import { codeNameOf, versionOf, type ChangedCode } from '../stages/code.ts'
import {
  keyOf,
  type StageInputs,
  type StageKind,
  type StageOf,
  type StageParams,
  type StageRef,
} from '../stages/stage.ts'

/** Makes a stage with its key. `execution`: how an external program is executed. */
export type StageMaker = <K extends StageKind>(
  kind: K,
  title: string,
  params: StageParams[K],
  inputs: StageInputs[K],
  execution?: ProgramExecution,
) => StageOf<K>

/**
 * `changed`: digests of the code that differs from the lock. They become part of the keys of its
 * stages.
 */
export function stageMaker(changed: ChangedCode): StageMaker {
  return (kind, title, params, inputs, execution = {}) => {
    const name = codeNameOf({ kind, params })
    const code = changed[name]
    const keyed = { kind, version: versionOf(name), params, inputs, ...(code !== undefined && { code }) }
    const isLimited = Object.keys(execution).length > 0
    return { ...keyed, key: keyOf(keyed), title, ...(isLimited && { execution }) }
  }
}

/** A stage as the input of another one. */
export function ref<K extends StageKind>({ kind, key }: StageRef<K>): StageRef<K> {
  return { kind, key }
}
