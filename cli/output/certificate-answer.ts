import type { CheckedCertificate } from '../../signatures/certificate.ts'

/** The part of `--json` that is about a certificate. */
export interface CertificateAnswer extends Pick<
  CheckedCertificate,
  'faults' | 'signers' | 'proofs' | 'recomputations'
> {
  readonly ledger: string | null
  readonly number: number | null
  readonly state: 'fulfilled' | 'refused' | null
  readonly claim: string | null
  /** The id of the sample in the proof that `--proof` names. Null without the option. */
  readonly subject: string | null
}

/** `subject` is the id in the proof of a subject, if one was checked. */
export function certificateAnswer(
  { record, faults, signers, proofs, recomputations }: CheckedCertificate,
  subject: string | undefined,
): CertificateAnswer {
  return {
    ledger: record?.ledger.name ?? null,
    number: record?.number ?? null,
    state: record?.state ?? null,
    claim: record?.claim ?? null,
    subject: subject ?? null,
    ...{ faults, signers, proofs, recomputations },
  }
}
