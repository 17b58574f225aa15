import { sha256 } from '../../common/canonical.ts'
import { counted } from '../../common/counted.ts'
import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { batchOf, type Deletion } from '../../experiment/records/deletion.ts'
import {
  checkCertificate,
  subjectOf,
  type CertificateFault,
  type CheckedCertificate,
} from '../../signatures/certificate.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import { coloursOf, printError } from '../output/print.ts'
import { certificateAnswer } from '../output/certificate-answer.ts'
import type { Output } from '../output/output.ts'
import { readCertificate } from '../workspace/certificate-folder.ts'

/** How to verify a certificate. */
interface CertificateCheck {
  readonly keys: readonly PublicKey[]
  /** The file of a subject's proof. */
  readonly proof: string | undefined
}

/**
 * `zeroshift verify DIRECTORY` for the certificate of a deletion request: checks it, and the proof
 * of a subject, without a store or a network. Returns the exit code.
 */
export async function verifyCertificate(
  folder: string,
  { keys, proof: file }: CertificateCheck,
  { printLine, answer }: Output,
): Promise<number> {
  const checked = checkCertificate(await readCertificate(folder), keys)
  const subject = file === undefined || !checked.record ? undefined : await subjectIn(file, checked.record)
  const faults = [...checked.faults, ...(subject && 'path' in subject ? [subject] : [])]
  for (const line of certificateLines(checked, keys.length > 0)) printLine(line)
  if (faults.length === 0) {
    if (subject && 'id' in subject) printLine(`The sample "${subject.id}" is among the forgotten ones.`)
    printLine(
      'The certificate holds: its record, earlier records, signatures, model and files belong together.',
    )
  }
  const { red } = coloursOf(process.stderr)
  for (const { path, message } of faults) printError(red(`${path}: ${message}`))
  if (faults.length > 0) printError(red(`The certificate does not hold: ${counted(faults.length, 'fault')}.`))
  return answer(faults.length > 0 ? 1 : 0, {
    status: faults.length > 0 ? 'different' : 'verified',
    certificate: certificateAnswer(
      { ...checked, faults },
      subject && 'id' in subject ? subject.id : undefined,
    ),
  })
}

/** Reads and checks the proof of a subject. Throws a UserError if the file cannot be read. */
async function subjectIn(
  file: string,
  { forgotten }: Deletion,
): Promise<CertificateFault | { readonly id: string }> {
  const bytes = await readRegularFile(file, { mostBytes: MOST_PROOF_BYTES }).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file, message: `${reason}; expected the proof of a subject` }])
  })
  const read = subjectOf({ text: bytes.toString(), digest: sha256(bytes) }, forgotten)
  return 'flaw' in read ? { path: file, message: read.flaw } : { id: read.proof.id }
}

/** A path has 64 digests at most. */
const MOST_PROOF_BYTES = 2 ** 16

/** Returns lines about what a certificate claims, and about its signatures and proofs. */
function certificateLines(
  { record, signers, proofs, recomputations }: CheckedCertificate,
  isRequired: boolean,
): readonly string[] {
  if (!record) return []
  const { format, ledger, number, state, claim, forgotten } = record
  const outcome = claim === undefined ? state : `${state}, claim "${claim}"`
  const batch = batchOf(record)
  return [
    `Request ${number} of the ledger ${ledger.name}, ${counted(forgotten.samples, 'sample')}: ${outcome}.`,
    ...(batch
      ? [`Requests ${batch.first} to ${batch.last} were settled together, by the same attempts and model.`]
      : []),
    ...(format === 1 && claim === 'measured'
      ? ['The record does not say whether the model before meets the rule as well: it has the first format.']
      : []),
    ...signers.map(({ keyid, named }) =>
      named || isRequired
        ? `The record is signed by ${keyid}${named ? '' : ', which is not a required key'}.`
        : `The record is signed by ${keyid}: --require-signature named no key, so that this says nothing of who it is.`,
    ),
    proofs === null
      ? 'The folder has no proofs for subjects.'
      : `${proofs} of ${counted(forgotten.samples, 'proof')} lead to the root in the record.`,
    ...recomputations.map(
      ({ keyids, result, device }) =>
        `The model was computed again on ${device.name}, attested by ${keyids.join(' and ')}: ${result}.`,
    ),
  ]
}

/** Throws a UserError for options of `verify` that are about a run. */
export function refuseRunOptions(options: Readonly<Record<string, unknown>>): void {
  const about: readonly (readonly [string, string])[] = [
    ['run', '--run'],
    ['dataDirectory', '--data-directory'],
    ['modelDirectory', '--model-directory'],
    ['given', '--given'],
    ['keep', '--keep'],
    ['key', '--key'],
    ['signWith', '--sign-with'],
    ['store', '--store'],
    ['temporal', '--temporal'],
  ]
  const [given] = about.filter(([name]) => options[name] !== undefined)
  if (given)
    throw new UserError(
      `${given[1]} has no effect on the certificate of a deletion request, which is checked alone; leave it out`,
    )
}
