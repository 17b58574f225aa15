import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newSigningKey, publicPem } from '../../../signatures/keys.ts'
import { signedFolder, verifyFolder, type FileDigests } from '../../../signatures/model-signature.ts'

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

const key = newSigningKey()
const other = newSigningKey()
const folder = { name: 'model', ignored: ['model.sig'] }
const files: FileDigests = { 'weights.bin': sha('weights'), 'config.json': sha('config'), 'é/ﬁ': sha('a') }
const text = signedFolder(folder, files, key)

const verified = (bundle = text, found = files, keys = [key.publicKey]) =>
  verifyFolder(bundle, 'model.sig', folder, found, keys)
const flaws = (bundle = text, found = files, keys = [key.publicKey]) => {
  const result = verified(bundle, found, keys)
  return 'flaws' in result ? result.flaws.map(({ path = '', message }) => `${path}: ${message}`) : []
}

test('a folder is signed as OMS 1.0 has it', () => {
  const bundle = JSON.parse(text) as { dsseEnvelope: { payload: string } }
  expect(bundle).toMatchObject({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: sha(publicPem(key.publicKey)) }, tlogEntries: [] },
    dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', signatures: [{ keyid: '' }] },
  })
  const names = ['config.json', 'weights.bin', 'é/ﬁ']
  const digests = names.map((name) => Buffer.from(files[name] ?? '', 'hex'))
  expect(JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString())).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    // Section 6.5.1: the digest of the digests of the files, in the order of their names.
    subject: [
      {
        name: 'model',
        digest: { sha256: createHash('sha256').update(Buffer.concat(digests)).digest('hex') },
      },
    ],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      resources: names.map((name) => ({ name, algorithm: 'sha256', digest: files[name] })),
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: ['.git', '.gitignore', '.gitattributes', '.github', 'model.sig'],
      },
    },
  })
  expect(verified()).toEqual({ keyid: key.publicKey.id })
})

describe('a flaw is named', () => {
  const without = Object.fromEntries(Object.entries(files).filter(([name]) => name !== 'config.json'))
  test.each([
    [
      'a changed file',
      { ...files, 'weights.bin': sha('other') },
      [/^weights\.bin: its SHA-256 is [0-9a-f]{64}; the signed/],
    ],
    ['a removed file', without, [/^config\.json: this signed file is missing$/]],
    ['an added file', { ...files, more: sha('more') }, [/^more: this file was added/]],
    [
      'a renamed file',
      { ...without, more: sha('config') },
      [/^config\.json: .* missing$/, /^more: .* added/],
    ],
  ])('%s', (_, found, wanted) => {
    const named = flaws(text, found)
    expect(named).toHaveLength(wanted.length)
    wanted.forEach((pattern, i) => {
      expect(named[i]).toMatch(pattern)
    })
  })

  test.each([
    ['another key', signedFolder(folder, files, other), /by another key/],
    ['no bundle', '{}', /no Sigstore bundle/],
    [
      'another folder',
      signedFolder({ ...folder, name: 'x' }, files, key),
      /its subject\[0\]\.name is "x", expected "model"/,
    ],
    [
      'another list of ignored files',
      signedFolder({ ...folder, ignored: [] }, files, key),
      /ignore_paths\[4\] is nothing/,
    ],
    ['other white space', text.replace('{', '{ '), /its bytes are not those/],
  ])('%s', (_, bundle, wanted) => {
    expect(flaws(bundle)).toEqual([expect.stringMatching(wanted)])
  })
})

test('a change of any byte of the bundle is noticed', () => {
  const bytes = Buffer.from(text)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ mask
      expect(flaws(changed.toString())).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})
