import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'

/** The contents of a store as they were read and verified. */

/** An object that was read and verified. Its bytes are read again when they are copied. */
export interface VerifiedObject {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** A finished stage: its manifest without the metrics. */
export interface ContainedStage {
  readonly ref: StageRef
  readonly manifest: VerifiedObject
  readonly hasDigest: boolean
  readonly digest: string
  readonly inputs: readonly { readonly ref: StageRef; readonly digest: string | undefined }[]
  readonly outputs: readonly BlobRef[]
  readonly signatures: readonly VerifiedObject[]
}

export interface ContainedRun {
  readonly id: string
  readonly record: VerifiedObject
  readonly stages: readonly StageRef[]
  /** The blobs that the run needs and no stage makes. */
  readonly attachments: readonly BlobRef[]
  readonly failed: number
  /** Whether the run was started by itself, not only as a cell of a sweep. */
  readonly isOwn: boolean
  /** The tags and the note of the run, if it has any. */
  readonly labels?: VerifiedObject
  readonly report?: ContainedReport
}

export interface ContainedReport {
  readonly json: VerifiedObject
  /** The digest in the report, which its signatures sign. */
  readonly digest: string | undefined
  readonly signatures: readonly VerifiedObject[]
  /** The digests of the manifests in the report, by the keys of the stages. */
  readonly digests: ReadonlyMap<string, string>
}

export interface ContainedSweep {
  readonly id: string
  readonly record: VerifiedObject
  readonly runs: readonly string[]
  readonly cells: number
  readonly failures: number
  readonly hasReport: boolean
}

/** A damaged object. */
export interface Flaw {
  readonly path: string
  readonly what: string
}

/**
 * The finished stages, runs and sweeps of a store, verified as readers of the store verify them.
 */
export interface StoreContents {
  readonly stages: ReadonlyMap<string, ContainedStage>
  readonly runs: ReadonlyMap<string, ContainedRun>
  readonly sweeps: ReadonlyMap<string, ContainedSweep>
  /** The sizes of the blobs, by path. */
  readonly blobs: ReadonlyMap<string, number>
  /**
   * The keys of the stages that have signatures but no valid manifest. It is empty if only some
   * runs were read.
   */
  readonly signedOnly: ReadonlySet<string>
  readonly flaws: readonly Flaw[]
}

export interface ContentsOptions {
  /** The ids of the runs and sweeps to read, with the stages of their runs. The default is all. */
  readonly ids?: readonly string[]
  /**
   * Whether to read the report of a run. `has` tells whether the store has a stage. It always
   * returns false if only some runs are read.
   */
  readonly wantsReport: (
    id: string,
    stages: readonly StageRef[],
    has: (stage: StageRef) => boolean,
  ) => boolean
  /**
   * Returns the flaw of a run's `report.json`, if it has one. If absent, reports are not verified.
   */
  readonly reportFlaw?: (run: RunRecord, text: string) => Promise<string | undefined>
}
