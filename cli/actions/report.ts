import { reportSignatures } from '../../artifacts/format/layout.ts'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { comparisonOf } from '../../activities/comparison.ts'
import { renderRun, toSign, writeReport } from '../../activities/report.ts'
import { writeSweepReport } from '../../activities/sweep.ts'
import { type Artifacts } from '../../artifacts/artifacts.ts'
import { signaturesIn } from '../../artifacts/stored-signatures.ts'
import { UserError } from '../../common/errors.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { renderComparison } from '../../report/comparison/render.ts'
import { reportClaims } from '../../signatures/claims.ts'
import type { SigningKey } from '../../signatures/keys.ts'
import { signingKey } from '../../signatures/setting.ts'
import { verifyEnvelope, signedStatement } from '../../signatures/statement.ts'
import { withLinks } from '../output/comparison-links.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { ATTACHMENTS, SIGNATURES_SUFFIX } from '../workspace/find-report.ts'
import { idIn } from '../workspace/named-run.ts'
import { writeTexts } from '../workspace/new-folder.ts'
import { runRecordIn } from '../workspace/workspace.ts'
import { print, pathOrUrl } from '../output/print.ts'
import { refuseUrl } from '../workspace/refuse-url.ts'

interface ReportOptions {
  readonly out?: string
  readonly withoutOutcomes?: true
  readonly store?: string
}

/**
 * `zeroshift report ID`: renders the report from the manifests. The same manifests give the same
 * bytes.
 */
export async function report(word: string, { out, withoutOutcomes, store }: ReportOptions): Promise<number> {
  if (out !== undefined) refuseUrl(out, '--out')
  else if (withoutOutcomes)
    throw new UserError(
      '--without-outcomes: the report in the store keeps its outcomes.json; expected --out, which names the folder of a copy',
    )
  const signer = signingKey()
  const artifacts = await artifactsIn(store)
  const id = await idIn(artifacts.store, word)
  const sweep = await artifacts.sweep(id)
  if (sweep) return reportOfSweep(artifacts, sweep, out)
  const { failed = [], ...run } = await runRecordIn(artifacts, id)
  if (out === undefined) {
    const { url } = await writeReport(artifacts, run, failed, signer)
    print(join(pathOrUrl(url), 'index.html'))
    return 0
  }
  const { files: all } = await renderRun(artifacts, run, failed)
  const { 'outcomes.json': outcomes, ...others } = all
  const files = withoutOutcomes || outcomes === undefined ? others : all
  // The folder may have the report from before.
  if (withoutOutcomes) await rm(join(out, 'outcomes.json'), { force: true })
  const signatures = await signaturesOf(artifacts, id, files['report.json'], signer)
  const published = signatures === '' ? {} : { [`report.json${SIGNATURES_SUFFIX}`]: signatures }
  const attachments = await attachmentsIn(artifacts, run)
  if (Object.keys(attachments).length > 0) await writeTexts(join(out, ATTACHMENTS), attachments)
  await write(out, { ...files, ...published })
  return 0
}

/** Returns the attachments of a run by the file names under which `verify` looks for them. */
async function attachmentsIn(artifacts: Artifacts, run: RunRecord): Promise<Record<string, string>> {
  const found = await Promise.all(
    attachmentsOf(run.plan).map(async (blob) => {
      const text = new TextDecoder().decode(await artifacts.getBlob(blob))
      return [`${blob.sha256}.mjs`, text] as const
    }),
  )
  return Object.fromEntries(found)
}

/**
 * Returns the signatures in the store that are valid for this report, and one by this command's own
 * key.
 */
async function signaturesOf(
  artifacts: Artifacts,
  id: string,
  json: string,
  signer: SigningKey | undefined,
): Promise<string> {
  const claims = reportClaims(toSign(id, json))
  const own = signer?.publicKey.id
  const kept = (await signaturesIn(artifacts, reportSignatures(id))).filter(({ path, text }) => {
    const verified = verifyEnvelope(text, path, claims)
    return 'claim' in verified && verified.invalid.length === 0 && !verified.valid.includes(own ?? '')
  })
  const made = signer ? [signedStatement(claims.rendered, signer)] : []
  const lines = [...kept.map(({ text }) => text), ...made].map((text) => JSON.stringify(JSON.parse(text)))
  return lines.map((line) => `${line}\n`).join('')
}

/** Renders the report of a sweep. The reports of its runs stay as they are. */
async function reportOfSweep(
  artifacts: Artifacts,
  sweep: SweepRecord,
  out: string | undefined,
): Promise<number> {
  if (out === undefined) {
    const { url } = await writeSweepReport(artifacts, sweep.id, sweep.failures ?? [])
    print(join(pathOrUrl(url), 'index.html'))
    return 0
  }
  const comparison = withLinks(await comparisonOf(artifacts, sweep), artifacts, resolve(out))
  await write(out, (await renderComparison(comparison)).files)
  return 0
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await writeTexts(folder, files)
  print(resolve(folder, 'index.html'))
}
