import { manifestDigest, type BlobRef, type Manifest } from '../experiment/records/manifest.ts'
import type { StageRef } from '../experiment/stages/stage.ts'
import type { Artifacts } from './artifacts.ts'
import { pooled } from '../common/concurrency.ts'

/** What is kept of a manifest: enough to judge the stage and those that were computed from it. */
export interface KnownStage {
  readonly key: string
  readonly digest: string
  /** Wall seconds of the work. */
  readonly seconds: number
  readonly inputs: readonly (StageRef & { readonly digest: string | undefined })[]
  readonly outputs: readonly BlobRef[]
}

/**
 * One look at a store: each manifest is read once, however many stages are computed from it, and what is asked again is
 * answered as it was. For one call; a later one takes a look of its own.
 */
export class StoreView {
  private readonly artifacts: Artifacts
  private readonly stages = new Map<string, Promise<KnownStage | undefined>>()
  private readonly judged = new Map<string, Promise<boolean>>()
  private readonly completed = new Map<string, Promise<KnownStage | undefined>>()

  constructor(artifacts: Artifacts) {
    this.artifacts = artifacts
  }

  /** The stage, where it is complete: its blobs are there, and its inputs are those it was computed from. */
  complete(ref: StageRef): Promise<KnownStage | undefined> {
    return once(this.completed, ref.key, async () => {
      const stage = await this.stage(ref)
      if (!stage || !(await this.isCurrent(stage))) return undefined
      return (await this.artifacts.holds(stage.outputs)) ? stage : undefined
    })
  }

  /** The first input that is there and is not what the stage was computed from; undefined where there is none. */
  async staleInput({ inputs }: KnownStage): Promise<StageRef | undefined> {
    const found = await pooled(inputs, async (input) => {
      const there = await this.stage(input)
      return there && (there.digest !== input.digest || !(await this.isCurrent(there))) ? [input] : []
    })
    return found.flat()[0]
  }

  stage(ref: StageRef): Promise<KnownStage | undefined> {
    return once(this.stages, ref.key, async () => {
      const manifest = await this.artifacts.manifest(ref)
      return manifest && knownStage(manifest)
    })
  }

  private isCurrent(stage: KnownStage): Promise<boolean> {
    return once(this.judged, stage.key, async () => (await this.staleInput(stage)) === undefined)
  }
}

export function knownStage(manifest: Manifest): KnownStage {
  const { key, inputs, inputDigests, outputs, clock } = manifest
  return {
    key,
    digest: manifestDigest(manifest),
    seconds: clock.seconds,
    inputs: Object.entries<StageRef>(inputs).map(([name, { kind, key }]) => ({
      kind,
      key,
      digest: inputDigests[name],
    })),
    outputs: Object.values(outputs),
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, look: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? look()
  known.set(key, found)
  return found
}
