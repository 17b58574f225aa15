import type { Manifest } from '../../experiment/records/manifest.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'

/**
 * An object in a store that was changed after it was written, or a stage whose inputs have other
 * results by now.
 */
export interface Damage {
  readonly path: string
  readonly what: string
  readonly remedy: string
  /** The ids of the runs to which the object belongs or which need the stage. */
  readonly runs: readonly string[]
  /** The paths that a repair deletes. It is empty if nothing of this can be computed again. */
  readonly drop: readonly string[]
}

/** A finding that has to be confirmed by a second look at the store before it counts as damage. */
export interface Suspicion extends Omit<Damage, 'runs'> {
  /** The key of the stage, if the finding is about one. */
  readonly stage?: string
  /** The id of the run, if the finding is about one. */
  readonly run?: string
  /**
   * The objects on which the finding is based. If one has changed since, the finding is dropped.
   */
  readonly evidence: readonly Evidence[]
  /** Whether an attempt may be computing the stage now. */
  readonly isInUse?: boolean
}

interface Evidence {
  readonly path: string
  /**
   * The SHA-256 of an object that was read, or the size of another one; undefined if it is missing.
   */
  readonly found: string | number | undefined
}

/** A manifest that was read, whether it is valid or not. */
export interface ReadStage {
  readonly ref: StageRef
  readonly path: string
  readonly sha256: string
  readonly modified: number
  /** Whether an attempt has renewed a lease of the stage within the grace period. */
  readonly hasFreshLease: boolean
  /** The paths of its signatures. */
  readonly signatures: readonly string[]
  /** The manifest without its metrics. It is absent if the manifest is not valid. */
  readonly manifest?: Manifest
  readonly digest?: string
  readonly flaw?: string
}
