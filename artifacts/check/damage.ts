import type { Manifest } from '../../experiment/records/manifest.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'

/** Something in a store that is not as it was written, or not what was computed from what is there. */
export interface Damage {
  readonly path: string
  readonly what: string
  readonly remedy: string
  /** Ids of the runs that it belongs to, or whose stage it is. */
  readonly runs: readonly string[]
  /** What a repair deletes, in this order. Empty: nothing that could be computed again. */
  readonly drop: readonly string[]
}

/** A damage before it was looked at twice. */
export interface Suspicion extends Omit<Damage, 'runs'> {
  /** The stage, where it is one's. */
  readonly stage?: string
  readonly run?: string
  /** What was read: where it changes in the meantime, somebody is at work, and it is judged by the next check. */
  readonly evidence: readonly Evidence[]
  readonly isInUse?: boolean
}

interface Evidence {
  readonly path: string
  /** Of an object that was read: the SHA-256; of one that was not: its size; undefined where it is not there. */
  readonly found: string | number | undefined
}

export interface ReadStage {
  readonly ref: StageRef
  readonly path: string
  readonly sha256: string
  readonly modified: number
  readonly hasFreshLease: boolean
  /** Paths of its signatures. */
  readonly signatures: readonly string[]
  readonly manifest?: Manifest
  readonly digest?: string
  readonly flaw?: string
}
