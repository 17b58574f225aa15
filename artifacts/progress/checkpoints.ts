import { sha256 } from '../../common/canonical.ts'
import type { Environment, OtherWork } from '../../experiment/records/manifest.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import type { Artifacts } from '../artifacts.ts'
import { stageFolder } from '../format/layout.ts'
import { decodeTensors, encodeTensors } from '../format/safetensors.ts'

/** The state of an unfinished stage after a step, with what it has cost so far. */
export interface Checkpoint {
  readonly step: number
  readonly vectors: Readonly<Record<string, Float32Array>>
  readonly notes: Readonly<Record<string, unknown>>
  /** The wall seconds of work until this step, over all attempts. */
  readonly seconds: number
  /** The other work of the machine in that time. Absent in checkpoints of older versions. */
  readonly otherWork?: OtherWork
  /**
   * The device and library that computed it. Another device would compute other bytes from here.
   */
  readonly tensorflow?: Environment['tensorflow']
  /** A digest of the inputs of the computation. Absent in checkpoints of older versions. */
  readonly inputs?: string
}

const KEPT = 2
const FORMAT = '1'

/**
 * The checkpoints of one unfinished stage, `checkpoints/<step>-<sha256>.safetensors`. Since the
 * name contains the digest of the bytes, no checkpoint is ever overwritten, and a damaged one is
 * noticed. The newest two are kept.
 */
export class Checkpoints {
  private readonly artifacts: Artifacts
  private readonly folder: string

  constructor(artifacts: Artifacts, stage: StageRef) {
    this.artifacts = artifacts
    this.folder = `${stageFolder(stage)}checkpoints/`
  }

  /** Writes a checkpoint and returns its path. */
  async save({ vectors, ...about }: Checkpoint): Promise<string> {
    const { step } = about
    const tensors = Object.entries(vectors).map(
      ([name, values]) => [name, { dtype: 'F32', shape: [values.length], values }] as const,
    )
    const bytes = encodeTensors(Object.fromEntries(tensors), { format: FORMAT, about: JSON.stringify(about) })
    const path = `${this.folder}${String(step).padStart(9, '0')}-${sha256(bytes)}.safetensors`
    await this.artifacts.store.putIfAbsent(path, bytes)
    const paths = await this.paths()
    for (const old of paths.slice(0, -KEPT)) if (old !== path) await this.artifacts.store.delete(old)
    return path
  }

  /**
   * The newest checkpoint for which `fits` returns true. Returns undefined if there is none.
   * Damaged checkpoints are deleted.
   */
  async newest(
    fits: (checkpoint: Checkpoint) => boolean | Promise<boolean>,
  ): Promise<Checkpoint | undefined> {
    for (const path of (await this.paths()).reverse()) {
      const found = await this.artifacts.store.getHashed(path)
      if (!found) continue
      if (!path.endsWith(`-${found.sha256}.safetensors`)) {
        await this.artifacts.store.delete(path)
        continue
      }
      const checkpoint = decode(found.bytes)
      if (checkpoint && (await fits(checkpoint))) return checkpoint
    }
    return undefined
  }

  private async paths(): Promise<string[]> {
    return (await this.artifacts.store.list(this.folder)).map(({ path }) => path)
  }
}

/** Returns undefined for a checkpoint of another version of Zeroshift. */
function decode(bytes: Uint8Array): Checkpoint | undefined {
  const { tensors, metadata } = decodeTensors(bytes)
  if (metadata.format !== FORMAT || metadata.about === undefined) return undefined
  const vectors = Object.entries(tensors).map(([name, { values }]) => [name, values as Float32Array] as const)
  const about = JSON.parse(metadata.about) as Omit<Checkpoint, 'vectors'>
  return { ...about, vectors: Object.fromEntries(vectors) }
}
