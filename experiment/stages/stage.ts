import { digestOf } from '../../common/canonical.ts'
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

/** The key of a stage. Code that agrees with the lock adds nothing to it. */
export function keyOf({
  kind,
  version,
  params,
  inputs,
  code,
}: Omit<StageOf<StageKind>, 'key' | 'title'>): string {
  return digestOf({ kind, version, params, inputs, ...(code !== undefined && { code }) })
}
