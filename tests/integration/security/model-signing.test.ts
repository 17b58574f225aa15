import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { presentModelSigning } from '../../../infra/model-signing.mjs'
import { newSigningKey, publicPem } from '../../../signatures/keys.ts'
import { signedFolder } from '../../../signatures/model-signature.ts'
import { testDirectory } from '../../support/directories.ts'

const program = presentModelSigning()
const why =
  program === undefined
    ? ' (skipped without model_signing: node infra/bootstrap.mjs --with-model-signing)'
    : ''
const check = test.skipIf(program === undefined)

const key = newSigningKey()
const files = { 'config.json': '{}', 'model.safetensors': 'weights', 'part/more.txt': 'more' }

let directory: string
let model: string
beforeEach(() => {
  directory = testDirectory()
  model = join(directory, 'unlearned')
  mkdirSync(join(model, 'part'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(model, name), text)
  const digests = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]))
  writeFileSync(
    join(model, 'model.sig'),
    signedFolder({ name: 'unlearned', ignored: ['model.sig'] }, digests, key),
  )
  writeFileSync(join(directory, 'key.pub'), publicPem(key.publicKey))
})

function verified(): string {
  const { stdout, stderr } = spawnSync(
    program ?? '',
    [
      'verify',
      'key',
      model,
      '--signature',
      join(model, 'model.sig'),
      '--public_key',
      join(directory, 'key.pub'),
    ],
    { encoding: 'utf8' },
  )
  return stdout + stderr
}

check(`Python's model_signing verifies a signed folder${why}`, () => {
  expect(verified()).toMatch(/Verification succeeded/)
})

check(`it leaves out the paths that the signature ignores${why}`, () => {
  mkdirSync(join(model, 'private'))
  writeFileSync(join(model, 'private', 'proof.json'), '{}')
  writeFileSync(join(model, 'record.intoto.jsonl'), '{}')
  const digests = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]))
  const folder = { name: 'unlearned', ignored: ['record.intoto.jsonl', 'private', 'model.sig'] }
  writeFileSync(join(model, 'model.sig'), signedFolder(folder, digests, key))
  expect(verified()).toMatch(/Verification succeeded/)
})

check.each([
  ['a changed file', () => writeFileSync(join(model, 'model.safetensors'), 'Weights'), /Hash mismatch/],
  ['an added file', () => writeFileSync(join(model, 'added'), ''), /Extra files found/],
  [
    'another key',
    () => writeFileSync(join(directory, 'key.pub'), publicPem(newSigningKey().publicKey)),
    /Key mismatch/,
  ],
])(`it refuses %s${why}`, (_, change, wanted) => {
  change()
  const said = verified()
  expect(said).toMatch(/Verification failed/)
  expect(said).toMatch(wanted)
})
