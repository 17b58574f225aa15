import { UserError } from '../../common/errors.ts'
import { counted } from '../../common/counted.ts'
import { checkCertificate, type CheckedCertificate } from '../../signatures/certificate.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import { coloursOf, printError } from '../output/print.ts'
import { certificateAnswer } from '../output/certificate-answer.ts'
import type { Output } from '../output/output.ts'
import { readCertificate } from '../workspace/certificate-folder.ts'

/**
 * `zeroshift verify DIRECTORY` for the certificate of a deletion request: checks it without a store
 * or a network. Returns the exit code.
 */
export async function verifyCertificate(
  folder: string,
  keys: readonly PublicKey[],
  { printLine, answer }: Output,
): Promise<number> {
  const checked = checkCertificate(await readCertificate(folder), keys)
  const { faults } = checked
  for (const line of certificateLines(checked, keys.length > 0)) printLine(line)
  const { red } = coloursOf(process.stderr)
  for (const { path, message } of faults) printError(red(`${path}: ${message}`))
  if (faults.length > 0) printError(red(`The certificate does not hold: ${counted(faults.length, 'fault')}.`))
  return answer(faults.length > 0 ? 1 : 0, {
    status: faults.length > 0 ? 'different' : 'verified',
    certificate: certificateAnswer(checked),
  })
}

/** Returns lines about what a certificate claims, and about its signatures and proofs. */
function certificateLines(
  { record, faults, signers, proofs }: CheckedCertificate,
  isRequired: boolean,
): readonly string[] {
  if (!record) return []
  const { ledger, number, state, claim, forgotten } = record
  const outcome = claim === undefined ? state : `${state}, claim "${claim}"`
  return [
    `Request ${number} of the ledger ${ledger.name}, ${counted(forgotten.samples, 'sample')}: ${outcome}.`,
    ...signers.map(({ keyid, named }) =>
      named || isRequired
        ? `The record is signed by ${keyid}${named ? '' : ', which is not a required key'}.`
        : `The record is signed by ${keyid}: --require-signature named no key, so that this says nothing of who it is.`,
    ),
    proofs === null
      ? 'The folder has no proofs for subjects.'
      : `${proofs} of ${counted(forgotten.samples, 'proof')} lead to the root in the record.`,
    ...(faults.length === 0
      ? ['The certificate holds: its record, earlier records, signatures, model and files belong together.']
      : []),
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
    ['store', '--store'],
    ['temporal', '--temporal'],
  ]
  const [given] = about.filter(([name]) => options[name] !== undefined)
  if (given)
    throw new UserError(
      `${given[1]} has no effect on the certificate of a deletion request, which is checked alone; leave it out`,
    )
}
