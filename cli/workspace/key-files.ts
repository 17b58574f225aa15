import { UserError } from '../../common/errors.ts'
import { readRegularFile, unreadable } from '../../common/regular-file.ts'
import { privateKeyIn, publicKeyIn, type PublicKey, type SigningKey } from '../../signatures/keys.ts'

const MOST_BYTES = 2 ** 14

/** Returns the keys that `--require-signature` names. Throws a UserError. */
export function publicKeysIn(files: readonly string[] = []): Promise<readonly PublicKey[]> {
  return Promise.all(files.map(async (file) => publicKeyIn(await keyText(file), file)))
}

export async function privateKeyFile(file: string): Promise<SigningKey> {
  return privateKeyIn(await keyText(file), file)
}

export async function keyText(file: string): Promise<string> {
  const bytes = await readRegularFile(file, { mostBytes: MOST_BYTES }).catch((error: unknown) => {
    const reason = unreadable(error)
    if (reason === undefined) throw error
    throw new UserError(`the key file ${file} ${reason}`)
  })
  return bytes.toString()
}
