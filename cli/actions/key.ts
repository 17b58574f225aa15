import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { unwritable } from '../../common/unwritable.ts'
import { UserError } from '../../common/errors.ts'
import { newSigningKey, privateKeyIn, privatePem, publicKeyIn, publicPem } from '../../signatures/keys.ts'
import { keyText } from '../workspace/key-files.ts'
import { print, printJson } from '../output/print.ts'

interface KeyOptions {
  readonly json?: true
}

const OWNER_ONLY = 0o600
const READABLE = 0o644

/** `zeroshift key new FILE`: writes a new key pair to FILE and FILE.pub. Overwrites nothing. */
export async function newKey(file: string, { json }: KeyOptions): Promise<number> {
  const publicFile = `${file}.pub`
  const present = [file, publicFile].find((path) => existsSync(path))
  if (present !== undefined)
    throw new UserError(`${present} is there already, and no key is overwritten; name another file`)
  const key = newSigningKey()
  await writeNew(file, privatePem(key), OWNER_ONLY)
  try {
    await writeNew(publicFile, publicPem(key.publicKey), READABLE)
  } catch (error) {
    await rm(file)
    throw error
  }
  const { id } = key.publicKey
  if (json) printJson({ keyid: id, privateKey: file, publicKey: publicFile })
  else {
    print(`keyid ${id}`)
    print(`${file}: the private key, which signs: ZEROSHIFT_SIGNING_KEY_FILE names it; keep it secret`)
    print(`${publicFile}: the public key, for those who check signatures: --require-signature names it`)
  }
  return 0
}

/** `zeroshift key show FILE`: prints the id and the public part of a private or a public key. */
export async function showKey(file: string, { json }: KeyOptions): Promise<number> {
  const pem = await keyText(file)
  const key = pem.includes('PRIVATE KEY') ? privateKeyIn(pem, file).publicKey : publicKeyIn(pem, file)
  if (json) printJson({ keyid: key.id, publicKey: publicPem(key) })
  else {
    print(`keyid ${key.id}`)
    print(publicPem(key).trimEnd())
  }
  return 0
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode })
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${unwritable(error)}; name another file`)
  }
}
