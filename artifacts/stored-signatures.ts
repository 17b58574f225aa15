import { manifestDigest, type Manifest } from '../experiment/records/manifest.ts'
import {
  reportClaims,
  stageClaims,
  type ReportClaim,
  type SignedReport,
  type StageClaim,
} from '../signatures/claims.ts'
import type { Signer } from '../signatures/keys.ts'
import { signedStatement, type Statement } from '../signatures/statement.ts'
import type { Artifacts } from './artifacts.ts'
import { reportSignatures, stageSignatures } from './format/layout.ts'

/**
 * Signs a stage, in one object for each key beside the manifest. A worker signs before it commits
 * the manifest, so that an interruption leaves none of its manifests unsigned.
 */
export function signStage(
  artifacts: Artifacts,
  manifest: Manifest,
  claim: StageClaim,
  signer: Signer,
): Promise<void> {
  const digest = manifestDigest(manifest)
  return put(artifacts, stageSignatures(manifest), stageClaims({ ...manifest, digest })[claim], signer)
}

/** Signs a report, in one object for each key in the folder of the run. */
export function signReport(
  artifacts: Artifacts,
  report: SignedReport,
  claim: ReportClaim,
  signer: Signer,
): Promise<void> {
  return put(artifacts, reportSignatures(report.run), reportClaims(report)[claim], signer)
}

async function put(
  { store }: Artifacts,
  folder: string,
  statement: Statement,
  signer: Signer,
): Promise<void> {
  const text = signedStatement(statement, signer)
  await store.put(`${folder}${signer.publicKey.id}.json`, new TextEncoder().encode(text))
}

/** An envelope in a store that is not verified yet. */
export interface StoredSignature {
  readonly path: string
  readonly text: string
}

/** Reads all signatures in a folder, without verifying them. */
export async function signaturesIn(
  { store }: Artifacts,
  folder: string,
): Promise<readonly StoredSignature[]> {
  const read = (await store.list(folder)).map(async ({ path }) => {
    const bytes = await store.get(path)
    return bytes ? [{ path, text: new TextDecoder().decode(bytes) }] : []
  })
  return (await Promise.all(read)).flat()
}
