import { mapConcurrently } from '../../common/concurrency.ts'
import { sha256 } from '../../common/canonical.ts'
import { manifestDigest } from '../../experiment/records/manifest.ts'
import type { StageKind, StageRef } from '../../experiment/stages/stage.ts'
import { stageClaims } from '../../signatures/claims.ts'
import { manifestPath, stageSignatures } from '../format/layout.ts'
import { readManifest } from '../format/read-manifest.ts'
import { mayLackDigest, type StoreFormat } from '../format/store-format.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ContainedStage, Flaw } from './contained.ts'
import { pathsBelow } from './list-store.ts'
import { validSignatures } from './valid-signatures.ts'

const signatureName = /^stages\/[a-z]+\/([0-9a-f]{64})\/signatures\//
const manifestName = /^stages\/([a-z]+)\/([0-9a-f]{64})\/manifest\.json$/

/** The key of the stage whose signature has this path, or undefined for another path. */
export const signedKey = (path: string) => signatureName.exec(path)?.[1]

/** The stage whose manifest has this path, as a list of one; empty for another path. */
export function stageOf(path: string): readonly StageRef[] {
  const [, kind, key] = manifestName.exec(path) ?? []
  return kind === undefined || key === undefined ? [] : [{ kind: kind as StageKind, key }]
}

/** Reads and verifies the manifests of stages. Damaged ones are added to the flaws. */
export async function readStages(
  store: ObjectStore,
  refs: readonly StageRef[],
  {
    format,
    objects,
    flaws,
  }: {
    readonly format: StoreFormat | undefined
    /** The paths below `stages/`, if they are known. */
    readonly objects?: readonly string[]
    flaws: Flaw[]
  },
): Promise<ReadonlyMap<string, ContainedStage>> {
  const signatures = objects && signaturesByKey(objects)
  const unique = [...new Map(refs.map((ref) => [manifestPath(ref), ref])).values()]
  const stages = await mapConcurrently(unique, async (ref) => {
    const path = manifestPath(ref)
    const bytes = await store.get(path)
    if (!bytes) return []
    const read = readManifest(bytes, ref)
    const flaw =
      'flaw' in read
        ? read.flaw
        : read.hasDigest || mayLackDigest(format, ref.key)
          ? undefined
          : 'its digest was removed: store.json does not list it among older ones'
    if ('flaw' in read || flaw !== undefined) {
      flaws.push({ path, what: flaw ?? 'it cannot be read' })
      return []
    }
    const { manifest, hasDigest } = read
    const digest = manifestDigest(manifest)
    const signed = signatures
      ? (signatures.get(ref.key) ?? [])
      : await pathsBelow(store, stageSignatures(ref))
    const claims = stageClaims({ ...ref, digest, outputs: manifest.outputs })
    const stage: ContainedStage = {
      ref,
      manifest: { path, bytes: bytes.length, sha256: sha256(bytes) },
      hasDigest,
      digest,
      inputs: Object.entries<StageRef>(manifest.inputs).map(([name, { kind, key }]) => ({
        ref: { kind, key },
        digest: manifest.inputDigests[name],
      })),
      outputs: Object.values(manifest.outputs).map(({ sha256, bytes }) => ({ sha256, bytes })),
      signatures: await validSignatures(store, signed, claims, flaws),
    }
    return [[ref.key, stage] as const]
  })
  return new Map(stages.flat())
}

function signaturesByKey(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byKey = new Map<string, string[]>()
  for (const path of paths) {
    const key = signedKey(path)
    if (key === undefined) continue
    const known = byKey.get(key)
    if (known) known.push(path)
    else byKey.set(key, [path])
  }
  return byKey
}
