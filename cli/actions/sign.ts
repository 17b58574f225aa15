import { reportSignatures, stageSignatures } from '../../artifacts/format/layout.ts'
import { reportFlaw, SharedManifests } from '../../activities/stored-outcome.ts'
import { type Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { signaturesIn, signReport, signStage } from '../../artifacts/stored-signatures.ts'
import { UserError } from '../../common/errors.ts'
import { manifestDigest } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { reportClaims, signedReport, stageClaims } from '../../signatures/claims.ts'
import type { Signer } from '../../signatures/keys.ts'
import { verifyEnvelope, type Claims } from '../../signatures/statement.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { runIdIn } from '../workspace/named-run.ts'
import { counted } from '../output/format.ts'
import { signerOf, type SignerOptions } from '../workspace/signer.ts'
import { runRecordIn } from '../workspace/workspace.ts'
import { print, printJson } from '../output/print.ts'
import { isCertificate } from '../workspace/certificate-folder.ts'
import { signCertificate } from './sign-certificate.ts'

interface SignOptions extends SignerOptions {
  readonly json?: true
  readonly store?: string
}

/** The result for a stage or a report. `absent`: the store has no complete result to sign. */
type Outcome = 'signed' | 'signed before' | 'absent'

/**
 * `zeroshift sign RUN`: attests the results of a run that are in a store, by whomever they were
 * computed. Adds a signature to the certificate of a deletion request instead if the word is its
 * folder. Returns 1 if a stage or the report is absent.
 */
export async function sign(word: string, { json, store, ...options }: SignOptions): Promise<number> {
  const key = await signerOf(options)
  if (await isCertificate(word)) return signCertificate(word, key, { ...(json && { json }) })
  const artifacts = await artifactsIn(store)
  const id = await runIdIn(artifacts.store, word)
  const run = await runRecordIn(artifacts, id)
  // Checks the report before anything is written.
  const text = await soundReport(artifacts, run)
  const stages = await mapConcurrently(stagesOf(run.plan), async (stage) => ({
    stage,
    outcome: await attestStage(artifacts, stage, key),
  }))
  const report = text === undefined ? 'absent' : await attestReport(artifacts, id, text, key)
  const absent = stages.filter(({ outcome }) => outcome === 'absent').map(({ stage }) => stage.title)
  const count = (wanted: Outcome) => stages.filter(({ outcome }) => outcome === wanted).length
  if (json)
    printJson({
      ...{ id, keyid: key.publicKey.id, signed: count('signed'), signedBefore: count('signed before') },
      ...{ absent, report },
    })
  else {
    print(`${id}: ${counted(count('signed'), 'stage')} signed as attested by ${key.publicKey.id}`)
    if (count('signed before') > 0)
      print(`${counted(count('signed before'), 'stage')} had its signature before`)
    print(`report: ${report === 'absent' ? 'there is none' : report}`)
    if (absent.length > 0) print(`not in the store, and not signed: ${absent.join(', ')}`)
  }
  return absent.length === 0 && report !== 'absent' ? 0 : 1
}

/**
 * Returns the text of the run's report, or undefined if it has none. Throws a UserError if the
 * report does not match the stages.
 */
async function soundReport(artifacts: Artifacts, run: RunRecord): Promise<string | undefined> {
  const text = await artifacts.reportJson(run.id)
  const flaw = text === undefined ? undefined : await reportFlaw(run, text, new SharedManifests(artifacts))
  if (flaw === undefined) return text
  throw new UserError(
    `the report of ${run.id} is not signed, and neither are its stages: ${flaw}. ./zeroshift report ${run.id} writes it again`,
  )
}

async function attestStage(artifacts: Artifacts, stage: Stage, key: Signer): Promise<Outcome> {
  const manifest = await artifacts.complete(stage)
  if (!manifest) return 'absent'
  const claims = stageClaims({ ...manifest, digest: manifestDigest(manifest) })
  if (await hasSignature(artifacts, stageSignatures(stage), claims, key)) return 'signed before'
  await signStage(artifacts, manifest, 'attested', key)
  return 'signed'
}

async function attestReport(artifacts: Artifacts, id: string, json: string, key: Signer): Promise<Outcome> {
  const report = signedReport(id, JSON.parse(json))
  if (!report) return 'absent'
  if (await hasSignature(artifacts, reportSignatures(id), reportClaims(report), key)) return 'signed before'
  await signReport(artifacts, report, 'attested', key)
  return 'signed'
}

/**
 * Whether the key has signed this already. A signature that claims more, namely that the signer
 * computed the result, is not replaced.
 */
async function hasSignature<C extends string>(
  artifacts: Artifacts,
  folder: string,
  claims: Claims<C>,
  { publicKey }: Signer,
): Promise<boolean> {
  const found = await signaturesIn(artifacts, folder)
  return found.some(({ path, text }) => {
    const verified = verifyEnvelope(text, path, claims, [publicKey])
    const isOwn = path === `${folder}${publicKey.id}.json`
    return isOwn && 'claim' in verified && verified.valid.includes(publicKey.id)
  })
}
