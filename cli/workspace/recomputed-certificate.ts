import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { unwritable } from '../../common/unwritable.ts'
import type { Deletion } from '../../experiment/records/deletion.ts'
import type { PublishedEnvironment } from '../../report/published.ts'
import { certificatePaths, checkCertificate } from '../../signatures/certificate.ts'
import type { PublicKey, Signer } from '../../signatures/keys.ts'
import { recomputedStatement, type Recomputation } from '../../signatures/recomputed.ts'
import { signedStatement } from '../../signatures/statement.ts'
import { readCertificate } from './certificate-folder.ts'

/** The accepted attempt of a certificate, which can be computed again. */
export interface ClaimedRun {
  /** The folder of the certificate. */
  readonly folder: string
  readonly record: Deletion
  /** The digest of the attempt's report in the record. */
  readonly digest: string
  /** The file of the report. */
  readonly report: string
  /** The folder of the report and of the model from which the method started. */
  readonly given: string
}

/**
 * Checks a certificate and returns its accepted attempt. Throws a UserError if the certificate does
 * not hold, or if it has no attempt or no report to compute again.
 */
export async function claimedRun(folder: string, keys: readonly PublicKey[]): Promise<ClaimedRun> {
  const found = await readCertificate(folder)
  const { record, faults } = checkCertificate(found, keys)
  if (faults.length > 0 || !record)
    throw new UserError(
      faults.map(({ path, message }) => ({
        file: join(folder, path),
        message: `${message}; nothing was computed`,
      })),
    )
  const digest = record.state === 'fulfilled' ? record.attempts.at(-1)?.report : undefined
  if (digest === undefined)
    throw new UserError(
      `request ${record.number} was ${record.state}, so that ${folder} has no accepted model to compute again`,
    )
  const report = join(folder, certificatePaths.report)
  if (found.digests[certificatePaths.report] === undefined)
    throw new UserError([
      {
        file: report,
        message:
          'this file is missing, as in every published copy, because it names the samples; ask the operator for the whole certificate, or verify without --recompute',
      },
    ])
  return { folder, record, digest, report, given: join(folder, certificatePaths.run) }
}

/** What was found when an attempt was computed again. */
export interface RecomputedRun {
  readonly run: string
  readonly result: Recomputation['result']
  /** The digest of the model that was computed. */
  readonly model: string | undefined
  /** The environment of the computation. */
  readonly environment: PublishedEnvironment | undefined
}

/** Adds a signed attestation of a recomputation to a certificate. Throws a UserError. */
export async function attest(
  { folder, record, digest }: ClaimedRun,
  { run, result, model, environment }: RecomputedRun,
  signer: Signer,
): Promise<void> {
  const { processor, tensorflow, zeroshift } = environment ?? {}
  const statement = recomputedStatement(record, {
    ...{ record: digestOf(record), run, report: digest, result, model: model ?? null },
    device: { name: tensorflow?.gpu ?? processor ?? 'unknown', threads: tensorflow?.threads ?? 1 },
    code: zeroshift ?? 'unknown',
  })
  const file = join(folder, certificatePaths.recomputed)
  try {
    await appendFile(file, signedStatement(statement, signer))
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${unwritable(error)}`)
  }
}
