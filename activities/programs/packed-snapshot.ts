import type { Snapshot } from '../../learning/training/host.ts'
import type { Reported } from './reported.ts'

/** The state from which an external program continues. */
export interface ProgramState {
  readonly reported: Reported
  /**
   * The name of the checkpoint, or undefined if the program has ended: `packed` is its output then.
   */
  readonly checkpoint?: string
  /** What `packFolder` made of the checkpoint or of the output. */
  readonly packed: Uint8Array
}

/**
 * Snapshots consist of float32 vectors. The bytes of the archive are stored as one, filled up to
 * whole numbers.
 */
export function snapshotOf({ reported, checkpoint, packed }: ProgramState): Snapshot {
  const padded = new Uint8Array(4 * Math.ceil(packed.length / 4))
  padded.set(packed)
  return {
    // The end of a program comes after all of its checkpoints.
    step: checkpoint === undefined ? reported.step + 1 : reported.step,
    vectors: { packed: new Float32Array(padded.buffer) },
    notes: { reported, bytes: packed.length, ...(checkpoint !== undefined && { checkpoint }) },
  }
}

/** The inverse of `snapshotOf`. */
export function stateOf({ vectors, notes }: Snapshot): ProgramState | undefined {
  const { packed } = vectors
  if (!packed) return undefined
  const { reported, bytes, checkpoint } = notes as unknown as SnapshotNotes
  const all = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength)
  return { reported, packed: all.slice(0, bytes), ...(checkpoint !== undefined && { checkpoint }) }
}

interface SnapshotNotes {
  readonly reported: Reported
  readonly bytes: number
  readonly checkpoint?: string
}
