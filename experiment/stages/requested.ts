import { requestedDefinitions } from './index.ts'
import type { JudgedModel, RequestedSettings } from './requested-definition.ts'
import type { StageInputs, StageOf, StageParams, TypesOf } from './stage.ts'

/** The kinds of stages that judge every model if the config has a section of their name. */

export type RequestedKind = keyof typeof requestedDefinitions

export const requestedKinds = Object.keys(requestedDefinitions) as readonly RequestedKind[]

/** The settings of each of these kinds, for code that handles any of them. */
export const requestedByKind: { readonly [K in RequestedKind]: Planned<K> & RequestedSettings<TypesOf<K>> } =
  requestedDefinitions

/** The parameters and inputs of a kind by the types that the maker of stages takes. */
interface Planned<K extends RequestedKind> {
  readonly stage: (
    options: RequestedOptions[K],
    judged: JudgedModel,
  ) => { readonly params: StageParams[K]; readonly inputs: StageInputs[K] } | undefined
}

/** The options of each section. */
export type RequestedOptions = { readonly [K in RequestedKind]: TypesOf<K>['options'] }

/** The sections that a config has. */
export type RequestedSections = { readonly [K in RequestedKind]?: RequestedOptions[K] | undefined }

/** The stages of these kinds that judge one model. */
export type RequestedStages = { readonly [K in RequestedKind]?: StageOf<K> }
