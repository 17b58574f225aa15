import { digestOf } from '../../common/canonical.ts'
import type { StageInputKinds, StageInputs, StageKind, StageMetrics, StageParams } from '../stages/stage.ts'

/**
 * The record of a finished stage. It is written after all outputs and never changed. `clock` has
 * the values that depend on the time and the machine, and is not part of the digest.
 */
export interface ManifestOf<K extends StageKind> {
  readonly kind: K
  readonly key: string
  readonly version: number
  /** The digest of the code. Absent if the code was the locked one. */
  readonly code?: string
  readonly params: StageParams[K]
  readonly inputs: StageInputs[K]
  /** Digests of the computed parts of the input manifests, by input name. */
  readonly inputDigests: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, BlobRef>>
  readonly metrics: StageMetrics[K]
  readonly clock: Clock
}

export type Manifest = { [K in StageKind]: ManifestOf<K> }[StageKind]

/** The manifest of a stage that makes a model. */
export type ModelManifest = ManifestOf<'train'> | ManifestOf<'unlearn'>

/** The manifests of a stage's inputs, by input name. */
export type InputManifests<K extends StageKind> = ManifestsOf<StageInputKinds[K]>
type ManifestsOf<Kinds> = { readonly [Name in keyof Kinds]: Extract<Manifest, { kind: Kinds[Name] }> }

export interface BlobRef {
  readonly sha256: string
  readonly bytes: number
}

export interface Clock {
  /**
   * Wall seconds of the stage's own work, including preparation, without reading inputs and writing
   * outputs.
   */
  readonly seconds: number
  /** ISO 8601. */
  readonly finishedAt: string
  /** Absent in manifests of older versions. */
  readonly otherWork?: OtherWork
  readonly environment: Environment
}

/**
 * Other work of the machine while a stage was timed. The more there was, the less its wall seconds
 * say.
 */
export interface OtherWork {
  /**
   * Processor seconds of other processes. Absent if an external program did the work: its own time
   * is among those of other processes.
   */
  readonly processes?: number
  /** Wall seconds during which the same worker also computed another stage. */
  readonly stages: number
}

export interface Environment {
  readonly zeroshift: string
  readonly node: string
  readonly platform: string
  /** The number of processors that the worker could use. Absent in manifests of older versions. */
  readonly processors?: number
  /**
   * The name of the processor, if the system gives it. TensorFlow's kernels differ between
   * processors.
   */
  readonly processor?: string
  /** Present if the stage used TensorFlow. */
  readonly tensorflow?: TensorFlowEnvironment
}

export interface TensorFlowEnvironment {
  readonly version: string
  readonly device: 'CPU' | 'GPU'
  /** The model of the GPU. */
  readonly gpu?: string
  readonly threads: number
  /**
   * Whether oneDNN's kernels were in use. They give other bytes. Absent on a GPU and in older
   * manifests.
   */
  readonly oneDnn?: boolean
  /**
   * The number of parts into which each batch was divided because memory was too small for the
   * whole. The results are equal within floating-point error, except that batch norms saw one part
   * at a time.
   */
  readonly batchParts?: number
}

/**
 * The digest of a manifest without its clock. Two runs of the same stage on the same device with
 * the same number of threads give the same digest.
 */
export function manifestDigest({ clock: _, ...computed }: Manifest): string {
  return digestOf(computed)
}
