import { digestOf } from '../../common/canonical.ts'
import type { StageInputKinds, StageInputs, StageKind, StageMetrics, StageParams } from '../stages/stage.ts'

export type { CurvePoint, Estimate, Measured } from './measured.ts'
export type { StageMetrics } from '../stages/stage.ts'
export type { ResidualPoint, StoppingCheck } from '../stages/unlearn.ts'
export type { RelearnPoint } from '../stages/relearn.ts'
export type { ProbedLayer } from '../stages/probe.ts'
export { evaluatedSets, type EvaluatedSet } from '../stages/evaluate.ts'
export {
  shadowAttacks,
  shadowedSets,
  shadowFigures,
  type ShadowAttack,
  type ShadowAttacked,
  type ShadowedSet,
  type ShadowFigure,
} from '../stages/membership.ts'

/**
 * A manifest is what a finished stage leaves: written last, whole, and never changed. What was computed and what a
 * clock or a host decided stand apart: `clock` is not in the digest.
 */
export interface ManifestOf<K extends StageKind> {
  readonly kind: K
  readonly key: string
  readonly version: number
  /** The digest of the code, where it was not the locked one. */
  readonly code?: string
  readonly params: StageParams[K]
  readonly inputs: StageInputs[K]
  /** Digests of the input manifests (their computed part), by input name. */
  readonly inputDigests: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, BlobRef>>
  readonly metrics: StageMetrics[K]
  readonly clock: Clock
}

export type Manifest = { [K in StageKind]: ManifestOf<K> }[StageKind]

/** The manifests of a stage's inputs, by input name. */
export type InputManifests<K extends StageKind> = ManifestsOf<StageInputKinds[K]>
type ManifestsOf<Kinds> = { readonly [Name in keyof Kinds]: Extract<Manifest, { kind: Kinds[Name] }> }

export interface BlobRef {
  readonly sha256: string
  readonly bytes: number
}

export interface Clock {
  /** Wall seconds of the stage's own work, without reading inputs and writing outputs; preparation included. */
  readonly seconds: number
  /** ISO 8601. */
  readonly finishedAt: string
  /** What else the machine did meanwhile. Absent in manifests of older versions. */
  readonly otherWork?: OtherWork
  readonly environment: Environment
}

/** Other work while a stage was timed. Its wall seconds say little where there was much of it. */
export interface OtherWork {
  /** Processor seconds that other processes of the machine took. */
  readonly processes: number
  /** Wall seconds during which the same worker computed another stage as well. */
  readonly stages: number
}

export interface Environment {
  readonly zeroshift: string
  readonly node: string
  readonly platform: string
  /** Processors that the worker could use. Absent in manifests of older versions. */
  readonly processors?: number
  /** The processor's name, where the system gives it: TensorFlow's kernels are not the same on all. */
  readonly processor?: string
  /** Present where the stage used TensorFlow. */
  readonly tensorflow?: TensorFlowEnvironment
}

export interface TensorFlowEnvironment {
  readonly version: string
  readonly device: 'CPU' | 'GPU'
  /** The GPU's model. */
  readonly gpu?: string
  readonly threads: number
  /** Whether oneDNN's kernels were in use, which give other bytes. Absent on a GPU and in older manifests. */
  readonly oneDnn?: boolean
  /**
   * Into how many parts each batch was cut, where memory was not enough for it as a whole: the same within float error, but that batch
   * norms saw a part each.
   */
  readonly batchParts?: number
}

/** The digest of what was computed: equal between two runs of the same stage on the same device and threads. */
export function manifestDigest({ clock: _, ...computed }: Manifest): string {
  return digestOf(computed)
}
