import { mapConcurrently } from '../common/concurrency.ts'
import { manifestDigest, type BlobRef, type Manifest } from '../experiment/records/manifest.ts'
import type { StageRef } from '../experiment/stages/stage.ts'

/** The part of a manifest that decides whether the stage and its dependents are up to date. */
export interface StageSummary {
  readonly key: string
  readonly digest: string
  /** How long the stage took to compute, in wall seconds. */
  readonly seconds: number
  /** The inputs, with the digests of the manifests from which the stage was computed. */
  readonly inputs: readonly (StageRef & { readonly digest: string | undefined })[]
  readonly outputs: readonly BlobRef[]
}

/** The part of `Artifacts` that a view needs. */
interface ManifestReader {
  manifest(ref: StageRef): Promise<Manifest | undefined>
  holds(blobs: readonly BlobRef[]): Promise<boolean>
}

/**
 * A view of a store that remembers all answers. Each manifest is read only once, however many
 * stages depend on it. A view does not notice later changes: use a new one for each task.
 */
export class StoreView {
  private readonly reader: ManifestReader
  private readonly summaries = new Map<string, Promise<StageSummary | undefined>>()
  private readonly currency = new Map<string, Promise<boolean>>()
  private readonly completed = new Map<string, Promise<StageSummary | undefined>>()

  constructor(reader: ManifestReader) {
    this.reader = reader
  }

  /**
   * The summary of a stage that need not be computed again: the store has all of its blobs, and its
   * inputs are those from which it was computed. Returns undefined for any other stage.
   */
  complete(ref: StageRef): Promise<StageSummary | undefined> {
    return memoized(this.completed, ref.key, async () => {
      const stage = await this.stage(ref)
      if (!stage || !(await this.isCurrent(stage))) return undefined
      return (await this.reader.holds(stage.outputs)) ? stage : undefined
    })
  }

  /**
   * The first input whose result in the store is not the one from which the stage was computed. An
   * input that the store does not have counts as unchanged. Returns undefined if there is none.
   */
  async staleInput({ inputs }: StageSummary): Promise<StageRef | undefined> {
    const found = await mapConcurrently(inputs, async (input) => {
      const present = await this.stage(input)
      return present && (present.digest !== input.digest || !(await this.isCurrent(present))) ? [input] : []
    })
    return found.flat()[0]
  }

  /** The summary of a finished stage, up to date or not. */
  stage(ref: StageRef): Promise<StageSummary | undefined> {
    return memoized(this.summaries, ref.key, async () => {
      const manifest = await this.reader.manifest(ref)
      return manifest && summarize(manifest)
    })
  }

  private isCurrent(stage: StageSummary): Promise<boolean> {
    return memoized(this.currency, stage.key, async () => (await this.staleInput(stage)) === undefined)
  }
}

export function summarize(manifest: Manifest): StageSummary {
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

/** The value of a key in a table, computed on its first use. */
function memoized<T>(known: Map<string, Promise<T>>, key: string, compute: () => Promise<T>): Promise<T> {
  const value = known.get(key) ?? compute()
  known.set(key, value)
  return value
}
