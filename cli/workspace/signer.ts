import { spawnSync } from 'node:child_process'
import { errorMessage, UserError } from '../../common/errors.ts'
import { signatureInDer, type PublicKey, type Signer } from '../../signatures/keys.ts'
import { signingKey } from '../../signatures/setting.ts'
import { privateKeyFile, publicKeysIn } from './key-files.ts'

/** The options of commands that sign. */
export interface SignerOptions {
  /** The file of a private key, or with `signWith` that of the public key. */
  readonly key?: string
  /** A command that signs what it reads. */
  readonly signWith?: string
}

/**
 * Returns the signer that the options name, or the key in ZEROSHIFT_SIGNING_KEY. Throws a UserError
 * if there is none.
 */
export async function signerOf({ key: file, signWith }: SignerOptions): Promise<Signer> {
  if (signWith !== undefined) {
    const [publicKey] = await publicKeysIn(file === undefined ? [] : [file])
    if (publicKey) return externalSigner(signWith, publicKey)
    throw new UserError('--sign-with needs --key with the file of the public key, which the signature names')
  }
  const key = file === undefined ? signingKey() : await privateKeyFile(file)
  if (key) return key
  throw new UserError(
    'no key to sign with; expected the file of a private key as --key, or in ZEROSHIFT_SIGNING_KEY_FILE. ' +
      '`./zeroshift key new FILE` makes one',
  )
}

/** A signature has 72 bytes at most. More output is not read. */
const MOST_OUTPUT_BYTES = 4096

/**
 * A signer that runs a command of the shell for each signature. The command reads the message and
 * writes the signature in DER or in IEEE P1363. Messages do not show the command, which may contain
 * a PIN.
 */
export function externalSigner(command: string, publicKey: PublicKey): Signer {
  return {
    publicKey,
    sign(message) {
      const { error, status, signal, stdout } = spawnSync(command, {
        shell: true,
        input: message,
        stdio: ['pipe', 'pipe', 'inherit'],
        maxBuffer: MOST_OUTPUT_BYTES,
      })
      // A command that signs a digest may end before it has read the whole message.
      if (error && !('code' in error && error.code === 'EPIPE'))
        throw new UserError(`the command of --sign-with failed: ${reasonOf(error)}`)
      if (status !== 0)
        throw new UserError(
          `the command of --sign-with ended with ${status === null ? String(signal) : `exit code ${status}`}; expected a signature and exit code 0`,
        )
      const signature = signatureInDer(stdout, message, publicKey)
      if (signature) return signature
      throw new UserError(
        `the command of --sign-with wrote ${stdout.length} bytes, which are no signature by the key ${publicKey.id}; ` +
          'expected ECDSA on P-256 with SHA-256 of the bytes on its standard input, in DER or as the 64 bytes of r and s',
      )
    },
  }
}

function reasonOf(error: Error): string {
  const isTooMuch = 'code' in error && error.code === 'ENOBUFS'
  return isTooMuch ? `it wrote more than ${MOST_OUTPUT_BYTES} bytes` : errorMessage(error)
}
