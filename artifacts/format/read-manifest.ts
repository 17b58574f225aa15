import { z } from 'zod'
import { parseJson } from '../../common/json.ts'
import { manifestDigest, type Manifest } from '../../experiment/records/manifest.ts'
import { keyOf, stageKinds, type Stage, type StageRef } from '../../experiment/stages/stage.ts'

/** A manifest, or the reason why its bytes are not valid. */
export type ReadManifest =
  { readonly manifest: Manifest; readonly hasDigest: boolean } | { readonly flaw: string }

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** The fields on which every reader relies. The digest of the manifest covers the others. */
const schema = z.looseObject({
  kind: z.enum(stageKinds),
  key: hash,
  version: z.number(),
  params: z.looseObject({}),
  inputs: z.record(z.string(), z.object({ kind: z.enum(stageKinds), key: hash })),
  inputDigests: z.record(z.string(), hash),
  outputs: z.record(z.string(), z.object({ sha256: hash, bytes: z.int().nonnegative() })),
  metrics: z.looseObject({}),
  clock: z.looseObject({
    seconds: z.number(),
    finishedAt: z.string(),
    environment: z.looseObject({ zeroshift: z.string(), node: z.string(), platform: z.string() }),
  }),
  digest: hash.optional(),
})

/** Parses and verifies the bytes of a stage's manifest. Pure. */
export function readManifest(bytes: Uint8Array, { kind, key }: StageRef): ReadManifest {
  const value = parseJson(bytes)
  const { error } = schema.safeParse(value)
  if (error) return { flaw: `it is no whole manifest: ${firstIssue(error)}` }
  const { digest, ...manifest } = value as Manifest & { readonly digest?: string }
  if (manifest.kind !== kind || manifest.key !== key)
    return { flaw: `it is the manifest of another stage, ${manifest.kind} ${manifest.key}` }
  const computed = keyOf(manifest)
  if (computed !== key)
    return {
      flaw: `its kind, version, parameters, inputs and code have the digest ${computed}, expected its key ${key}`,
    }
  const found = manifestDigest(manifest)
  if (digest !== undefined && digest !== found)
    return { flaw: `it was changed after it was written: it gives the digest ${digest} and has ${found}` }
  return { manifest, hasDigest: digest !== undefined }
}

/**
 * The flaw of a stage in a plan: its key is not the digest of what it computes. Returns undefined
 * if it is.
 */
export function stageFlaw(stage: Stage): string | undefined {
  const computed = keyOf(stage)
  return computed === stage.key
    ? undefined
    : `its stage '${stage.title}' has the key ${stage.key}, expected ${computed}, the digest of what it computes`
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  if (!issue) return 'not as expected'
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message
}
