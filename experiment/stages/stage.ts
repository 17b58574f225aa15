import { digestOf } from '../../common/canonical.ts'
import type { ProgramExecution } from '../spec/program.ts'
import { displayGroups, type DisplayGroup, type StageSettings } from './definition.ts'
import { stageDefinitions } from './index.ts'

/**
 * A stage is one unit of work whose result is kept: its kind, the version of its code, its own
 * parameters and the keys of its inputs. The key is the SHA-256 of all that and, if the code
 * differs from the lock, of the code's digest.
 */

type Definitions = typeof stageDefinitions

export type StageKind = keyof Definitions

export type TypesOf<K extends StageKind> = NonNullable<Definitions[K]['types']>

/** By stage kind: parameters, metrics, and the kinds of stage behind each input. */
export type StageParams = { readonly [K in StageKind]: TypesOf<K>['params'] }
export type StageMetrics = { readonly [K in StageKind]: TypesOf<K>['metrics'] }
export type StageInputKinds = { readonly [K in StageKind]: TypesOf<K>['inputs'] }

/** By stage kind: the stages that a stage reads, by input name. */
export type StageInputs = { readonly [K in StageKind]: RefsTo<StageInputKinds[K]> }
type RefsTo<Kinds> = { readonly [Name in keyof Kinds]: StageRef<Extract<Kinds[Name], StageKind>> }

/** A stage by its key. */
export interface StageRef<K extends StageKind = StageKind> {
  readonly kind: K
  readonly key: string
}

export interface StageOf<K extends StageKind> {
  readonly kind: K
  readonly key: string
  /** The version that the lock gives the code (experiment/stages/code.ts). */
  readonly version: number
  /** The digest of the code that computes the stage. Absent if that code is the locked one. */
  readonly code?: string
  /** The name of the stage in the progress display and in logs. Not part of the key. */
  readonly title: string
  readonly params: StageParams[K]
  readonly inputs: StageInputs[K]
  /** How an external program is executed. Not part of the key. */
  readonly execution?: ProgramExecution
}

export type Stage = { [K in StageKind]: StageOf<K> }[StageKind]

/** The settings of each kind, for code that handles stages of any kind. */
export const settingsByKind: { readonly [K in StageKind]: StageSettings<TypesOf<K>> } = stageDefinitions

export const stageKinds = Object.keys(stageDefinitions) as readonly StageKind[]

/** The kinds of stage that compute with TensorFlow. */
export const onDevice: ReadonlySet<StageKind> = new Set(
  stageKinds.filter((kind) => stageDefinitions[kind].onDevice),
)

/** The kinds of stage under each heading of the progress display, in its order. */
export const kindsByGroup: readonly { readonly name: DisplayGroup; readonly kinds: readonly StageKind[] }[] =
  displayGroups.map((name) => ({
    name,
    kinds: stageKinds.filter((kind) => stageDefinitions[kind].group === name),
  }))

/**
 * The parameters of the stages of a kind that external programs compute, and of the others. Either
 * may be empty.
 */
export type ProgramParamsOf<K extends StageKind> = Extract<StageParams[K], { readonly program: unknown }>
export type OwnParamsOf<K extends StageKind> = Exclude<StageParams[K], { readonly program: unknown }>

/** Whether an external program computes a stage, or has computed what it evaluates. */
export function isOfProgram({ params }: { readonly params: object }): boolean {
  return 'program' in params
}

/** Whether a stage computes with TensorFlow. */
export function computesOnDevice({ kind, params }: { readonly kind: StageKind; readonly params: object }) {
  return onDevice.has(kind) && !isOfProgram({ params })
}

/** The key of a stage. Code that agrees with the lock adds nothing to it. */
export function keyOf({
  kind,
  version,
  params,
  inputs,
  code,
}: Omit<StageOf<StageKind>, 'key' | 'title' | 'execution'>): string {
  return digestOf({ kind, version, params, inputs, ...(code !== undefined && { code }) })
}
