import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'
import { unwritable } from '../../common/unwritable.ts'
import { certificatePaths, checkCertificate } from '../../signatures/certificate.ts'
import { envelopeText, readEnvelope, withSignature } from '../../signatures/envelope.ts'
import type { Signer } from '../../signatures/keys.ts'
import { PAYLOAD_TYPE } from '../../signatures/statement.ts'
import { print, printJson } from '../output/print.ts'
import { readCertificate } from '../workspace/certificate-folder.ts'

/**
 * `zeroshift sign DIRECTORY` for the certificate of a deletion request: adds a signature to its
 * record, for example that of an auditor. Throws a UserError if the certificate does not hold.
 */
export async function signCertificate(
  folder: string,
  signer: Signer,
  { json }: { readonly json?: true },
): Promise<number> {
  const { faults, signers, record } = checkCertificate(await readCertificate(folder), [])
  if (faults.length > 0 || !record)
    throw new UserError(
      faults.map(({ path, message }) => ({
        file: join(folder, path),
        message: `${message}; nothing was signed`,
      })),
    )
  const { id: keyid } = signer.publicKey
  const isSigned = signers.some((one) => one.keyid === keyid)
  if (!isSigned) {
    const file = join(folder, certificatePaths.envelope)
    const envelope = readEnvelope(await readFile(file, 'utf8'), PAYLOAD_TYPE, file)
    await replaceFile(file, envelopeText(withSignature(envelope, signer)))
  }
  const keyids = [...signers.map((one) => one.keyid).filter((id) => id !== keyid), keyid]
  const { ledger, number } = record
  if (json) printJson({ ledger: ledger.name, number, keyid, signedBefore: isSigned, signers: keyids })
  else
    print(
      `Request ${number} of the ledger ${ledger.name}: ${isSigned ? 'signed before' : 'signed'} by ${keyid}; signatures by ${keyids.join(', ')}`,
    )
  return 0
}

/** Replaces a file as a whole, so that an interruption leaves the old one. */
async function replaceFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${unwritable(error)}`)
  }
}
