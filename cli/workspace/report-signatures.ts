import type { Published } from '../../report/published.ts'
import { reportClaims, signedReport, type ReportClaim } from '../../signatures/claims.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import { verifyEnvelope } from '../../signatures/statement.ts'
import type { FoundSignature } from './find-report.ts'

/** A key that signed a report, and its claim. */
interface ReportSigner {
  readonly keyid: string
  readonly claim: ReportClaim
  /** Whether the key is one of those that `--require-signature` names. */
  readonly named: boolean
}

export interface CheckedSignatures {
  readonly signers: readonly ReportSigner[]
  /** Signatures that are not valid, with the reasons. */
  readonly flaws: readonly string[]
}

/** Checks the signatures that were found with the report of a run. Pure. */
export function checkReportSignatures(
  found: readonly FoundSignature[],
  run: string,
  published: Published,
  keys: readonly PublicKey[],
): CheckedSignatures {
  const report = signedReport(run, published)
  if (!report) return { signers: [], flaws: [] }
  const claims = reportClaims(report)
  const verified = found.map(({ where, text }) => ({ where, ...verifyEnvelope(text, where, claims, keys) }))
  return {
    signers: verified.flatMap((one) =>
      'flaw' in one
        ? []
        : one.valid.map((keyid) => ({ keyid, claim: one.claim, named: keys.some(({ id }) => id === keyid) })),
    ),
    flaws: verified.flatMap((one) => {
      if ('flaw' in one) return [`${one.where}: ${one.flaw}`]
      return one.invalid.map((keyid) => `${one.where}: the signature by ${keyid} does not verify`)
    }),
  }
}

/** Returns one line for each signature, or a line which says that there is none. */
export function signatureLines({ signers, flaws }: CheckedSignatures): readonly string[] {
  const lines = [
    ...signers.map(({ keyid, claim, named }) =>
      named
        ? `The report is signed by ${keyid}, as ${claim}.`
        : `The report is signed by ${keyid}, as ${claim}: --require-signature named no such key, so that this says nothing of who it is.`,
    ),
    ...flaws.map((flaw) => `A signature does not hold: ${flaw}.`),
  ]
  return signers.length > 0 ? lines : ['The report is not signed.', ...lines]
}

/** Returns the reason to refuse the report, or undefined if one of the named keys signed it. */
export function missingSignature(
  { signers, flaws }: CheckedSignatures,
  keys: readonly PublicKey[],
): string | undefined {
  if (signers.some(({ named }) => named)) return undefined
  const expected = `expected a signature by ${keys.map(({ id }) => id).join(' or ')}`
  const others = signers.map(({ keyid }) => keyid).join(', ')
  const found = others === '' ? 'the report is not signed' : `the report is signed by ${others}`
  return [`${found}; ${expected}`, ...flaws].join('; ')
}
