import type { CheckedCertificate } from '../../signatures/certificate.ts'

/** The part of `--json` that is about a certificate. */
export interface CertificateAnswer extends Pick<CheckedCertificate, 'faults' | 'signers' | 'proofs'> {
  readonly ledger: string | null
  readonly number: number | null
  readonly state: 'fulfilled' | 'refused' | null
  readonly claim: string | null
}

export function certificateAnswer({
  record,
  faults,
  signers,
  proofs,
}: CheckedCertificate): CertificateAnswer {
  return {
    ledger: record?.ledger.name ?? null,
    number: record?.number ?? null,
    state: record?.state ?? null,
    claim: record?.claim ?? null,
    ...{ faults, signers, proofs },
  }
}
