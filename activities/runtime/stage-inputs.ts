import { BlobError, CorruptBlobError } from '../../artifacts/blobs/blob-errors.ts'
import { type Artifacts } from '../../artifacts/artifacts.ts'
import { summarize, StoreView } from '../../artifacts/store-view.ts'
import {
  manifestDigest,
  type InputManifests,
  type Manifest,
  type ManifestOf,
} from '../../experiment/records/manifest.ts'
import type { StageKind, StageOf, StageRef } from '../../experiment/stages/stage.ts'
import { DamagedInputError } from './errors.ts'

/** The inputs of a stage, by their names. */
export interface ReadInputs<K extends StageKind> {
  readonly manifests: InputManifests<K>
  /** The digests of these manifests. */
  readonly digests: ManifestOf<K>['inputDigests']
}

/**
 * Reads the manifests of a stage's inputs. Throws a DamagedInputError if one has to be computed
 * again.
 */
export async function readInputs<K extends StageKind>(
  artifacts: Artifacts,
  stage: StageOf<K>,
): Promise<ReadInputs<K>> {
  const view = new StoreView(artifacts)
  const manifests = await Promise.all(
    refsOf(stage).map(async ([name, ref]) => {
      const manifest: Manifest | undefined = await artifacts.manifest(ref)
      const which = `the input '${name}' of '${stage.title}' (${ref.kind} ${ref.key.slice(0, 12)})`
      if (!manifest) throw new DamagedInputError(`${which} is not in the store any more`, ref.key)
      if (await view.staleInput(summarize(manifest)))
        throw new DamagedInputError(`${which} was computed from other inputs than the store has now`, ref.key)
      return [name, manifest] as const
    }),
  )
  return {
    manifests: Object.fromEntries(manifests) as InputManifests<K>,
    digests: Object.fromEntries(manifests.map(([name, manifest]) => [name, manifestDigest(manifest)])),
  }
}

/**
 * Throws an error if another worker has replaced an input in the store since it was read. The
 * result is then not committed, and the next attempt reads the new input.
 */
export async function refuseChangedInputs<K extends StageKind>(
  artifacts: Artifacts,
  stage: StageOf<K>,
  digests: Readonly<Record<string, string>>,
): Promise<void> {
  const view = new StoreView(artifacts)
  for (const [name, ref] of refsOf(stage)) {
    const now = await view.stage(ref)
    if (now && now.digest !== digests[name])
      throw new Error(
        `the input '${name}' of '${stage.title}' was computed again while it was in use; '${stage.title}' begins anew from it`,
      )
  }
}

/**
 * Throws the error that ended a body. If the body found a blob of an input missing or damaged, this
 * deletes the blob and throws a DamagedInputError, so that the stage that made it is computed
 * again.
 */
export async function throwBodyError(artifacts: Artifacts, inputs: object, error: unknown): Promise<never> {
  if (!(error instanceof BlobError)) throw error
  const { blob } = error
  const maker = Object.values(inputs as Record<string, Manifest>).find(({ outputs }) =>
    Object.values(outputs).some(({ sha256 }) => sha256 === blob.sha256),
  )
  if (!maker) throw error
  if (error instanceof CorruptBlobError) await artifacts.deleteBlob(blob)
  throw new DamagedInputError(error.message, maker.key)
}

function refsOf<K extends StageKind>({ inputs }: StageOf<K>): readonly (readonly [string, StageRef])[] {
  return Object.entries(inputs as Readonly<Record<string, StageRef>>)
}
