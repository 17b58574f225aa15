import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { externalSigner, signerOf } from '../../../../cli/workspace/signer.ts'
import { UserError } from '../../../../common/errors.ts'
import { isSignature, newSigningKey, privatePem, publicPem } from '../../../../signatures/keys.ts'
import { fileDirectory } from '../../../support/directories.ts'

const key = newSigningKey()
const other = newSigningKey()
const message = Buffer.from('a message')
const secret = privatePem(key).split('\n')[1] ?? ''

let directory: string
let file: string
beforeAll(() => {
  directory = fileDirectory()
  file = join(directory, 'key')
  writeFileSync(file, privatePem(key))
  writeFileSync(`${file}.pub`, publicPem(key.publicKey))
})

/** A command that signs with Node.js in a form of `dsaEncoding`. */
const nodeCommand = (form: string) =>
  `'${process.execPath}' -e "const {readFileSync: read} = require('fs'); process.stdout.write(require('crypto').sign('sha256', read(0), {key: read('${file}'), dsaEncoding: '${form}'}))"`

describe('an external command', () => {
  test.each([
    ['OpenSSL', () => `openssl dgst -sha256 -sign '${file}'`],
    ['a program that writes DER', () => nodeCommand('der')],
    ['a program that writes r and s', () => nodeCommand('ieee-p1363')],
  ])('signs: %s', async (_, command) => {
    const signer = await signerOf({ key: `${file}.pub`, signWith: command() })
    expect(signer.publicKey.id).toBe(key.publicKey.id)
    expect(isSignature(message, signer.sign(message), key.publicKey)).toBe(true)
  })

  test.each([
    [
      'signs with another key',
      () => nodeCommand('der'),
      /wrote \d+ bytes, which are no signature by the key/,
    ],
    ['writes the private key', () => `cat '${file}'`, /wrote \d+ bytes, which are no signature/],
    ['writes nothing', () => 'cat > /dev/null', /wrote 0 bytes/],
    ['writes without end', () => 'yes', /wrote more than 4096 bytes/],
    ['fails', () => 'cat > /dev/null; exit 7', /ended with exit code 7/],
    ['does not exist', () => './no-such-command --pin 1234 2> /dev/null', /ended with exit code 127/],
  ])('that %s is refused, and the message has neither key nor command', (_, command, wanted) => {
    const sign = () => externalSigner(command(), other.publicKey).sign(message)
    expect(sign).toThrow(UserError)
    expect(sign).toThrow(wanted)
    for (const hidden of [secret, file, '1234'])
      expect(sign).not.toThrow(
        expect.objectContaining({ message: expect.stringContaining(hidden) as string }),
      )
  })

  test('needs the public key', async () => {
    await expect(signerOf({ signWith: 'true' })).rejects.toThrow(/--sign-with needs --key/)
    const refused = signerOf({ signWith: 'true', key: file })
    await expect(refused).rejects.toThrow(/this is a private key; expected the public key/)
    await expect(refused).rejects.not.toThrow(secret)
  })
})

test('without a command, the key is in a file or in the environment', async () => {
  expect((await signerOf({ key: file })).publicKey.id).toBe(key.publicKey.id)
  vi.stubEnv('ZEROSHIFT_SIGNING_KEY_FILE', file)
  expect((await signerOf({})).publicKey.id).toBe(key.publicKey.id)
  vi.stubEnv('ZEROSHIFT_SIGNING_KEY_FILE', '')
  await expect(signerOf({})).rejects.toThrow(/no key to sign with/)
  vi.unstubAllEnvs()
})
