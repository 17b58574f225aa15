import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { canonicalJson, sha256 } from '../../../../common/canonical.ts'
import type { Deletion } from '../../../../experiment/records/deletion.ts'
import {
  certificateFiles,
  certificateFolder,
  checkCertificate,
  modelFiles,
  modelFolder,
} from '../../../../signatures/certificate.ts'
import { deletionNotesPath, reportPath } from '../../../../artifacts/format/layout.ts'
import { readCertificate } from '../../../../cli/workspace/certificate-folder.ts'
import { attest } from '../../../../cli/workspace/recomputed-certificate.ts'
import { recomputationIn } from '../../../../signatures/recomputed.ts'
import { deletionClaims } from '../../../../signatures/deletion.ts'
import { newSigningKey, privatePem, publicPem, type SigningKey } from '../../../../signatures/keys.ts'
import { signedFolder } from '../../../../signatures/model-signature.ts'
import { signedStatement } from '../../../../signatures/statement.ts'
import { madeDeletions, madeLedger, putDeletions } from '../../../support/deletions.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { madeRuns } from '../../../support/made-store.ts'

const made = madeDeletions(3)
const [, second] = made
if (!second) throw new Error('two requests were made')
const operator = newSigningKey()
const auditor = newSigningKey()
const stranger = newSigningKey()

let root: string
/** The certificate of the second request. Tests work on copies of it. */
let origin: string
let folder: string

const here = (...args: readonly string[]) => zeroshiftHere(root, ...args)
const inFolder = (path: string) => join(folder, path)
const read = (path: string) => readFileSync(inFolder(path), 'utf8')
const readEnvelopeText = (path: string) => {
  const { payload } = JSON.parse(read(path)) as { readonly payload: string }
  return Buffer.from(payload, 'base64').toString()
}
const filesOf = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort()

beforeAll(async () => {
  root = fileDirectory()
  const pairs: readonly (readonly [string, SigningKey])[] = [
    ['operator', operator],
    ['auditor', auditor],
    ['stranger', stranger],
  ]
  for (const [name, key] of pairs) {
    writeFileSync(join(root, name), privatePem(key))
    writeFileSync(join(root, `${name}.pub`), publicPem(key.publicKey))
  }
  await putDeletions(openArtifacts(`file://${root}/store`), made)
  const written = await here(
    'certificate',
    madeLedger,
    '2',
    '--out',
    'request-2',
    '--key',
    'operator',
    '--store',
    'store',
  )
  expect(written.code, written.stderr).toBe(0)
  origin = join(root, 'request-2')
})

let count = 0
beforeEach(() => {
  folder = join(root, `copy-${count++}`)
  cpSync(origin, folder, { recursive: true })
})

interface Answer {
  readonly status: string
  readonly certificate: {
    readonly faults: readonly { readonly path: string; readonly message: string }[]
    readonly signers: readonly { readonly keyid: string; readonly named: boolean }[]
    readonly proofs: number | null
    readonly recomputations: readonly object[]
    readonly subject: string | null
  }
}

/** The answer of `verify` for the copy, and its exit code. */
async function verified(...args: readonly string[]): Promise<Answer & { readonly code: number | null }> {
  const { code, stdout, stderr } = await here('verify', folder, '--json', ...args)
  expect(stdout, stderr).not.toBe('')
  return { ...(JSON.parse(stdout) as Answer), code }
}

async function faults(...args: readonly string[]): Promise<readonly string[]> {
  const { code, status, certificate } = await verified(...args)
  expect([code, status]).toEqual(certificate.faults.length > 0 ? [1, 'different'] : [0, 'verified'])
  return certificate.faults.map(({ path, message }) => `${path}: ${message}`)
}

test('a certificate has the record, its chain, the model and proofs, and holds without the store', async () => {
  expect(filesOf(folder)).toEqual([
    'README.md',
    'certificate.sig',
    'chain/000001.json',
    'index.html',
    'model/model.safetensors',
    'model/model.sig',
    'private/proofs/000001.json',
    'private/proofs/000002.json',
    'private/proofs/000003.json',
    'record.intoto.jsonl',
    'record.json',
  ])
  expect(read('record.json')).toBe(canonicalJson(second.record))
  expect(readFileSync(inFolder('model/model.safetensors'))).toEqual(second.model)
  const { code, certificate } = await verified('--require-signature', 'operator.pub')
  expect(code).toBe(0)
  expect(certificate).toEqual({
    ...{
      ledger: madeLedger,
      number: 2,
      state: 'fulfilled',
      claim: 'replayed',
      faults: [],
      proofs: 3,
      recomputations: [],
      subject: null,
    },
    signers: [{ keyid: operator.publicKey.id, named: true }],
  })
  expect((await here('verify', folder)).stdout).toContain('The certificate holds')
})

test('what is published names no sample and has no salt, and the private part is for its owner alone', () => {
  const { salt, samples } = second.notes
  expect(statSync(inFolder('private')).mode & 0o077).toBe(0)
  for (const path of filesOf(folder)) {
    const text = readFileSync(inFolder(path), 'utf8')
    expect(text).not.toContain(salt)
    const named = samples.filter(({ id }) => text.includes(id))
    expect(named).toHaveLength(path.startsWith('private/') ? 1 : 0)
  }
})

test('the folder without its private part holds, and has no proofs', async () => {
  rmSync(inFolder('private'), { recursive: true })
  expect((await verified()).certificate).toMatchObject({ faults: [], proofs: null })
})

const change = (path: string, from: string, to: string) => () => {
  const text = read(path)
  expect(text).toContain(from)
  writeFileSync(inFolder(path), text.replace(from, to))
}

describe('a change is named', () => {
  test.each<[string, () => void, readonly RegExp[]]>([
    [
      'record',
      change('record.json', 'case 2026-2', 'case 2026-9'),
      [
        /^record\.intoto\.jsonl: its predicate\.reference is "case 2026-2", expected "case 2026-9"$/,
        /^record\.json: its SHA-256 is/,
      ],
    ],
    [
      'white space in the record',
      change('record.json', ',', ', '),
      [/^record\.json: its bytes are not the canonical JSON/, /^record\.json: its SHA-256/],
    ],
    [
      'no record',
      change('record.json', '{', '['),
      [/^record\.json: this is no record/, /^record\.json: its SHA-256/],
    ],
    [
      'chain',
      change('chain/000001.json', 'case 2026-1', 'case 2026-9'),
      [
        /^record\.json: previous: it is [0-9a-f]{64}, but the digest of the record before is/,
        /^chain\/000001\.json: its SHA-256 is/,
      ],
    ],
    [
      'model',
      change('model/model.safetensors', 'model 2', 'model 3'),
      [
        /^model\/model\.safetensors: its SHA-256 is [0-9a-f]{64}; that of the model in the record/,
        /^model\/model\.safetensors: its SHA-256 is [0-9a-f]{64}; the signed one/,
      ],
    ],
    [
      'proof',
      change('private/proofs/000002.json', 'patient-2-', 'patient-3-'),
      [/^private\/proofs\/000002\.json: it does not lead to the root in the record$/],
    ],
    [
      'evidence',
      change('record.json', '"value":1.5', '"value":0.5'),
      [
        /^record\.json: attempts\[0\]\.evidence\[0\]\.accepted: it is false, but the value is 0\.5 and the limit 1$/,
        /^record\.intoto\.jsonl: its predicate\.attempts\[0\]\.evidence\[0\]\.value is 1\.5, expected 0\.5$/,
        /^record\.json: its SHA-256 is/,
      ],
    ],
    [
      'claim',
      change('record.json', '"claim":"replayed","code"', '"claim":"retrained","code"'),
      [
        /^record\.json: claim: it is "retrained"/,
        /^record\.intoto\.jsonl: its predicate\.claim/,
        /^record\.json: its SHA-256/,
      ],
    ],
    [
      'signature',
      () => {
        const envelope = JSON.parse(read('record.intoto.jsonl')) as { signatures: [{ sig: string }] }
        const sig = Buffer.from(envelope.signatures[0].sig, 'base64')
        sig[20] = (sig[20] ?? 0) ^ 1
        envelope.signatures[0].sig = sig.toString('base64')
        writeFileSync(inFolder('record.intoto.jsonl'), `${JSON.stringify(envelope)}\n`)
      },
      [/^record\.intoto\.jsonl: the signature by [0-9a-f]{64} does not verify$/],
    ],
    ['page', change('index.html', 'not certain', 'certain'), [/^index\.html: its SHA-256 is/]],
    [
      'added file',
      () => {
        writeFileSync(inFolder('more.txt'), '')
      },
      [/^more\.txt: this file was added/],
    ],
    [
      'added file beside the model',
      () => {
        writeFileSync(inFolder('model/model.py'), '')
      },
      [/^model\/model\.py: this file was added/],
    ],
    [
      'added file in the private part',
      () => {
        writeFileSync(inFolder('private/x'), '')
      },
      [/^private\/x: this file was added/],
    ],
  ])('%s', async (_, damage, wanted) => {
    // The page has these words for this test alone.
    if (_ === 'page') writeFileSync(inFolder('index.html'), `${read('index.html')}not certain`)
    damage()
    const found = await faults()
    expect(found).toHaveLength(wanted.length)
    wanted.forEach((pattern, i) => {
      expect(found[i]).toMatch(pattern)
    })
  })

  test('every file that is removed', async () => {
    for (const path of filesOf(origin)) {
      rmSync(folder, { recursive: true })
      cpSync(origin, folder, { recursive: true })
      rmSync(inFolder(path))
      const found = await faults()
      expect(found, path).toContainEqual(
        expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')}: this (signed )?file is missing`)),
      )
    }
  })

  test.each<[string, Partial<Deletion>]>([
    ['samples', { forgotten: { ...second.record.forgotten, samples: Number.MAX_SAFE_INTEGER } }],
    ['requests', { number: Number.MAX_SAFE_INTEGER }],
  ])('a record that claims more %s than anybody can have', async (_, claimed) => {
    writeFileSync(inFolder('record.json'), canonicalJson({ ...second.record, ...claimed }))
    const found = await faults()
    expect(found.length).toBeLessThan(150)
    expect(found).toContainEqual(expect.stringMatching(/^record\.intoto\.jsonl: its predicate\./))
  })

  test('any byte of any file', async () => {
    const found = await readCertificate(origin)
    const bytes = new Map(filesOf(origin).map((path) => [path, readFileSync(join(origin, path))]))
    const paths = [...bytes.keys()]
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (path, place, mask) => {
          const changed = Buffer.from(bytes.get(path) ?? '')
          const at = place % changed.length
          changed[at] = (changed[at] ?? 0) ^ mask
          const { faults } = checkCertificate(
            {
              digests: { ...found.digests, [path]: sha256(changed) },
              texts: path in found.texts ? { ...found.texts, [path]: changed.toString() } : found.texts,
            },
            [],
          )
          expect(faults.map((fault) => fault.path)).toContain(path)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('signatures', () => {
  test('an auditor adds one, which names the same record', async () => {
    const signed = await here('sign', folder, '--key', 'auditor', '--json')
    expect(signed.code, signed.stderr).toBe(0)
    const keyids = [operator.publicKey.id, auditor.publicKey.id]
    expect(JSON.parse(signed.stdout)).toMatchObject({ number: 2, signedBefore: false, signers: keyids })
    const { certificate } = await verified()
    expect(certificate.signers.map(({ keyid }) => keyid)).toEqual(keyids)
    expect(JSON.parse((await here('sign', folder, '--key', 'auditor', '--json')).stdout)).toMatchObject({
      signedBefore: true,
    })

    // Each of the two signatures is checked.
    const envelope = JSON.parse(read('record.intoto.jsonl')) as { signatures: { sig: string }[] }
    const [own, other] = envelope.signatures
    if (!own || !other) throw new Error('there are two signatures')
    writeFileSync(
      inFolder('record.intoto.jsonl'),
      `${JSON.stringify({ ...envelope, signatures: [own, { ...other, sig: own.sig }] })}\n`,
    )
    expect(await faults()).toEqual([
      `record.intoto.jsonl: the signature by ${auditor.publicKey.id} does not verify`,
    ])
  })

  test('a certificate that does not hold is not signed', async () => {
    change('chain/000001.json', 'case 2026-1', 'case 2026-9')()
    const before = read('record.intoto.jsonl')
    const refused = await here('sign', folder, '--key', 'auditor')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/chain\/000001\.json: .*nothing was signed/)
    expect(read('record.intoto.jsonl')).toBe(before)
  })

  test('a required key has to have signed the record and the files', async () => {
    expect(await faults('--require-signature', 'operator.pub')).toEqual([])
    expect(await faults('--require-signature', 'stranger.pub')).toEqual([
      `record.intoto.jsonl: the record is signed by ${operator.publicKey.id}; expected ${stranger.publicKey.id}`,
      expect.stringMatching(/^model\/model\.sig: it is by another key/),
      expect.stringMatching(/^certificate\.sig: it is by another key/),
    ])
    expect(
      await faults('--require-signature', 'stranger.pub', '--require-signature', 'operator.pub'),
    ).toEqual([])
  })

  test('a stranger cannot replace pages of a certificate that somebody else has signed', async () => {
    writeFileSync(inFolder('index.html'), 'All is well.')
    expect((await here('sign', origin, '--key', 'auditor')).code).toBe(0)
    const { digests } = await readCertificate(folder)
    writeFileSync(
      inFolder('certificate.sig'),
      signedFolder(certificateFolder, certificateFiles(digests), stranger),
    )
    expect(await faults()).toEqual([expect.stringMatching(/^certificate\.sig: it is by another key/)])
  })

  test('a whole certificate by a stranger is not one by the operator', async () => {
    const record: Deletion = { ...second.record, reference: 'invented' }
    writeFileSync(inFolder('record.json'), canonicalJson(record))
    writeFileSync(inFolder('record.intoto.jsonl'), signedStatement(deletionClaims(record).deletion, stranger))
    const { digests } = await readCertificate(folder)
    writeFileSync(inFolder('model/model.sig'), signedFolder(modelFolder, modelFiles(digests), stranger))
    const after = (await readCertificate(folder)).digests
    writeFileSync(
      inFolder('certificate.sig'),
      signedFolder(certificateFolder, certificateFiles(after), stranger),
    )
    expect(await faults()).toEqual([])
    expect(await faults('--require-signature', 'operator.pub')).toHaveLength(3)
  })

  test('a command signs, and neither its key nor the key of the environment reaches a file or a message', async () => {
    vi.stubEnv('ZEROSHIFT_SIGNING_KEY_FILE', join(root, 'stranger'))
    try {
      const command = `openssl dgst -sha256 -sign '${join(root, 'operator')}'`
      const out = join(root, `signed-${count}`)
      const signed = await here(
        ...[
          'certificate',
          madeLedger,
          '3',
          '--out',
          out,
          '--store',
          'store',
          '--key',
          'operator.pub',
          '--sign-with',
          command,
        ],
      )
      expect(signed.code, signed.stderr).toBe(0)
      const own = await here('certificate', madeLedger, '1', '--out', `${out}-own`, '--store', 'store')
      expect(own.stdout).toContain(stranger.publicKey.id)
      const checked = await here('verify', out, '--require-signature', 'operator.pub')
      expect(checked.code, checked.stderr).toBe(0)
      expect(checked.stdout).toContain('refused')
      const secrets = [operator, stranger].map((key) => privatePem(key).split('\n')[1] ?? '')
      const written = [out, `${out}-own`, join(root, 'store')].flatMap((directory) =>
        filesOf(directory).map((path) => readFileSync(join(directory, path), 'utf8')),
      )
      const said = [signed, own, checked].flatMap(({ stdout, stderr }) => [stdout, stderr])
      for (const secret of secrets) {
        expect(secret).toHaveLength(64)
        for (const text of [...written, ...said]) expect(text).not.toContain(secret)
      }
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

describe('is refused, and nothing is written', () => {
  const certificate = (...args: readonly string[]) =>
    here('certificate', ...args, '--out', join(root, 'refused'), '--store', 'store')
  test.each<[string, readonly string[], RegExp]>([
    [
      'a ledger that is not there',
      ['other', '1', '--key', 'operator'],
      /has no ledger 'other'; it has: clinic; `\.\/zeroshift forget` begins one/,
    ],
    [
      'a name that leads elsewhere',
      ['../clinic', '1', '--key', 'operator'],
      /has no ledger '\.\.\/clinic'; it has: clinic/,
    ],
    [
      'a request that is not there',
      [madeLedger, '4', '--key', 'operator'],
      /no request 4; it has records of 1, 2, 3/,
    ],
    [
      'a number that is none',
      [madeLedger, 'two', '--key', 'operator'],
      /expected a whole number from 1 on, found 'two'/,
    ],
    ['no key', [madeLedger, '1'], /no key to sign with/],
    ['a public key', [madeLedger, '1', '--key', 'operator.pub'], /this is a public key/],
  ])('%s', async (_, args, wanted) => {
    const refused = await certificate(...args)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(wanted)
    expect(existsSync(join(root, 'refused'))).toBe(false)
  })

  const stored = (path: string) => join(root, 'store', 'ledgers', madeLedger, path)
  test.each<[string, string, (text: string) => string | undefined, RegExp]>([
    [
      'a record that was changed',
      '000001.json',
      (text) => text.replace('case', 'Case'),
      /request 2, previous: it is/,
    ],
    [
      'a record with other white space',
      '000001.json',
      (text) => `${text}\n`,
      /is not the canonical JSON of a record/,
    ],
    ['a record that is no JSON', '000002.json', () => '{', /000002\.json is not as it was written/],
    [
      'notes of other samples',
      '000002.notes.json',
      (text) => text.replace('patient-2-0', 'patient-2-9'),
      /are not those of its record/,
    ],
    ['a chain with a gap', '000001.json', () => undefined, /no record of request 1; it has records of 2, 3/],
  ])('%s', async (_, path, damaged, wanted) => {
    const text = readFileSync(stored(path), 'utf8')
    const other = damaged(text)
    if (other === undefined) rmSync(stored(path))
    else writeFileSync(stored(path), other)
    try {
      const refused = await certificate(madeLedger, '2', '--key', 'operator')
      expect(refused.code).toBe(2)
      expect(refused.stderr).toMatch(wanted)
      expect(existsSync(join(root, 'refused'))).toBe(false)
    } finally {
      writeFileSync(stored(path), text)
    }
  })

  test('a model that the store no longer has', async () => {
    const { sha256: digest } = second.record.model.after
    const blob = join(root, 'store', 'blobs', 'sha256', digest.slice(0, 2), digest)
    const bytes = readFileSync(blob)
    rmSync(blob)
    try {
      const refused = await certificate(madeLedger, '2', '--key', 'operator')
      expect(refused.code).toBe(2)
      expect(refused.stderr).toMatch(/the model after request 2 is no longer in the store/)
    } finally {
      mkdirSync(dirname(blob), { recursive: true })
      writeFileSync(blob, bytes)
    }
  })
})

test('a certificate of records of the first format holds, and says what it does not compare', async () => {
  await putDeletions(openArtifacts(`file://${root}/early-store`), madeDeletions(1, 3, 1))
  const store = ['--key', 'operator', '--store', 'early-store']
  const written = await here('certificate', madeLedger, '1', '--out', 'early', ...store)
  expect(written.code, written.stderr).toBe(0)
  folder = join(root, 'early')
  expect(await faults()).toEqual([])
  expect(readEnvelopeText('record.intoto.jsonl')).toContain('urn:zeroshift:deletion:v1')
  const { stdout } = await here('verify', folder)
  expect(stdout).toContain('does not say whether the model before meets the rule as well')
})

test('an accepted attempt that the model before does not differ from is a fault', async () => {
  const [first] = madeDeletions(1)
  const [attempt] = first?.record.attempts ?? []
  if (!first || !attempt) throw new Error('a request was made')
  const evidence = attempt.evidence.map((one) => ({ ...one, before: { value: 0.9 } }))
  const record: Deletion = { ...first.record, attempts: [{ ...attempt, evidence }] }
  await putDeletions(openArtifacts(`file://${root}/claiming`), [{ ...first, record }])
  const store = ['--key', 'operator', '--store', 'claiming']
  const refused = await here('certificate', madeLedger, '1', '--out', 'claims', ...store)
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain('the model in use before meets the acceptance rule as well')
  // Whoever signs it nevertheless is found out.
  folder = join(root, 'claims')
  cpSync(origin, folder, { recursive: true })
  rmSync(inFolder('chain'), { recursive: true })
  writeFileSync(inFolder('record.json'), canonicalJson(record))
  expect(await faults()).toContainEqual(
    expect.stringMatching(
      /^record\.json: attempts\[0\]\.outcome: it is "accepted", but the model in use before/,
    ),
  )
})

test('the model has a description if the store has the run that made it', async () => {
  const [run] = madeRuns
  const [first] = made
  if (!run || !first) throw new Error('a run and a request were made')
  const attempts = first.record.attempts.map((attempt) => ({ ...attempt, run: run.id }))
  const artifacts = openArtifacts(`file://${root}/store-with-run`)
  await artifacts.putRun(run)
  await artifacts.store.put(reportPath(run.id), Buffer.from('{"clock":1}'))
  await putDeletions(artifacts, [{ ...first, record: { ...first.record, attempts } }])
  const out = join(root, 'with-run')
  const written = await here(
    ...['certificate', madeLedger, '1', '--out', out, '--key', 'operator', '--store', 'store-with-run'],
  )
  expect(written.code, written.stderr).toBe(0)
  expect(JSON.parse(readFileSync(join(out, 'model/config.json'), 'utf8'))).toEqual({
    ...{ format: 'zeroshift-model', version: 1, model: run.spec.model },
    ...{ classes: run.facts.classes, shape: run.facts.shape },
    layers: expect.arrayContaining([expect.objectContaining({ kind: 'linear' })]) as unknown,
  })
  expect((await here('verify', out)).code).toBe(0)
  writeFileSync(join(out, 'model/config.json'), '{}')
  expect((await here('verify', out)).stderr).toMatch(/^model\/config\.json: its SHA-256 is/m)

  // The report names the samples and is therefore in the private part, with a signature of its own.
  expect(filesOf(join(out, 'private/run'))).toEqual(['proofs.json', 'report.json', 'run.sig'])
  writeFileSync(join(out, 'private/run/report.json'), '{"clock":2}')
  expect((await here('verify', out)).stderr).toMatch(/^private\/run\/report\.json: its SHA-256 is/m)
  rmSync(join(out, 'private/run/run.sig'))
  expect((await here('verify', out)).stderr).toMatch(/^private\/run\/run\.sig: this file is missing/m)
})

test('proofs that are removed while the private run is left are missing', async () => {
  const [run] = madeRuns
  const [first] = made
  if (!run || !first) throw new Error('a run and a request were made')
  const attempts = first.record.attempts.map((attempt) => ({ ...attempt, run: run.id }))
  const artifacts = openArtifacts(`file://${root}/store-with-proofs`)
  await artifacts.putRun(run)
  await artifacts.store.put(reportPath(run.id), Buffer.from('{"clock":1}'))
  await putDeletions(artifacts, [{ ...first, record: { ...first.record, attempts } }])
  const certificate = async (out: string) => {
    const store = ['--store', 'store-with-proofs']
    const written = await here('certificate', madeLedger, '1', '--out', out, '--key', 'operator', ...store)
    expect(written.code, written.stderr).toBe(0)
    folder = join(root, out)
  }
  await certificate('with-proofs')
  expect(await faults()).toEqual([])
  rmSync(inFolder('private/proofs'), { recursive: true })
  expect(await faults()).toEqual(
    [1, 2, 3].map((place) => `private/proofs/00000${place}.json: this file is missing`),
  )
  writeFileSync(inFolder('private/run/proofs.json'), '{"proofs":2}')
  expect(await faults()).toEqual(
    expect.arrayContaining([
      'private/run/proofs.json: it is not the number of the 3 samples in the record',
      expect.stringMatching(/^private\/run\/proofs\.json: its SHA-256 is/),
    ]),
  )
  rmSync(inFolder('private/run/proofs.json'))
  expect(await faults()).toEqual(['private/run/proofs.json: this signed file is missing'])

  // Without notes a certificate has no proofs, and none of them is missing.
  rmSync(join(root, 'store-with-proofs', deletionNotesPath(madeLedger, 1)))
  await certificate('without-notes')
  expect(filesOf(inFolder('private/run'))).toEqual(['report.json', 'run.sig'])
  expect(await faults()).toEqual([])
})

describe('attestations of those who computed the model again', () => {
  const model = second.record.model.after.sha256
  const path = 'recomputed.intoto.jsonl'
  const attested = (result: 'verified' | 'different' = 'verified') =>
    attest(
      { folder, record: second.record, digest: 'a'.repeat(64), report: '', given: '' },
      { run: 'run', result, model, environment: { zeroshift: '1.0.0', processor: 'a processor' } },
      auditor,
    )

  test('are shown, and every changed byte is found', async () => {
    await attested()
    await attested('different')
    const { code, certificate } = await verified('--require-signature', 'operator.pub')
    expect(code).toBe(0)
    const keyids = [auditor.publicKey.id]
    expect(certificate.recomputations).toMatchObject([
      { result: 'verified', model, keyids },
      { result: 'different', keyids },
    ])
    const found = await readCertificate(folder)
    const bytes = readFileSync(inFolder(path))
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const texts = { ...found.texts, [path]: changed.toString() }
      expect(checkCertificate({ ...found, texts }, []).faults.map((fault) => fault.path)).toContain(path)
    }
  })

  test('of another record, and lines that are cut, are faults', async () => {
    await attested()
    const line = read(path)
    writeFileSync(inFolder(path), line.trimEnd())
    expect(await faults()).toEqual([`${path}: its last line is not complete`])
    const [first] = made
    if (!first) throw new Error('requests were made')
    expect(recomputationIn(line.trimEnd(), path, first.record, [])).toHaveProperty('flaw')
  })
})

test.each<[string, readonly string[], RegExp]>([
  ['a certificate without a report', ['--recompute'], /private\/run\/report\.json: this file is missing/],
  ['a key without --recompute', ['--key', 'auditor'], /--key has no effect on the certificate/],
  ['a proof besides', ['--recompute', '--proof', 'x'], /--recompute checks no proof/],
])('nothing is computed again for %s', async (_, args, wanted) => {
  const refused = await here('verify', folder, ...args)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(wanted)
})

test('without notes in the store, a certificate has no private part', async () => {
  const notes = join(root, 'store', 'ledgers', madeLedger, '000001.notes.json')
  const text = readFileSync(notes)
  rmSync(notes)
  try {
    const out = join(root, 'without-private')
    const written = await here(
      'certificate',
      madeLedger,
      '1',
      '--out',
      out,
      '--key',
      'operator',
      '--store',
      'store',
      '--json',
    )
    expect(JSON.parse(written.stdout)).toMatchObject({ number: 1, state: 'fulfilled', proofs: null })
    expect(existsSync(join(out, 'private'))).toBe(false)
    expect(readFileSync(join(out, 'index.html'), 'utf8')).not.toContain('Received')
    expect((await here('verify', out)).code).toBe(0)
  } finally {
    writeFileSync(notes, text)
  }
})

test('a subject checks their own proof against what is published', async () => {
  const { samples } = second.notes
  const proofs = [1, 2, 3].map((number) => read(`private/proofs/00000${number}.json`))
  rmSync(inFolder('private'), { recursive: true })
  const mine = join(root, 'my-proof.json')
  for (const text of proofs) {
    writeFileSync(mine, text)
    const { code, certificate } = await verified('--proof', mine)
    expect(code).toBe(0)
    expect(samples.map(({ id }) => id)).toContain(certificate.subject)
  }
  const said = await here('verify', folder, '--proof', mine)
  expect(said.stdout).toMatch(/^The sample "patient-2-\d\.png" is among the forgotten ones\.$/m)

  writeFileSync(mine, proofs[0]?.replace('patient-2', 'patient-1') ?? '')
  expect(await faults('--proof', mine)).toEqual([`${mine}: it does not lead to the root in the record`])
  writeFileSync(mine, '{}')
  expect(await faults('--proof', mine)).toEqual([expect.stringMatching(/this is no proof/)])
  const missing = await here('verify', folder, '--proof', 'no-such-file')
  expect(missing.code).toBe(2)
  expect(missing.stderr).toMatch(/no-such-file: there is no such file; expected the proof of a subject/)
})

test('verify refuses options of a run, and a folder with links', async () => {
  const refused = await here('verify', folder, '--keep')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/--keep has no effect on the certificate/)
  symlinkSync('record.json', inFolder('link'))
  const linked = await here('verify', folder)
  expect(linked.code).toBe(2)
  expect(linked.stderr).toMatch(/link: this is no regular file/)
})

test('OpenSSL verifies the signature of the record', () => {
  const { payload, payloadType, signatures } = JSON.parse(read('record.intoto.jsonl')) as {
    payload: string
    payloadType: string
    signatures: [{ sig: string }]
  }
  const bytes = Buffer.from(payload, 'base64')
  const file = (name: string) => inFolder(name)
  writeFileSync(
    file('message'),
    Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `), bytes]),
  )
  writeFileSync(file('signature'), Buffer.from(signatures[0].sig, 'base64'))
  const said = execFileSync('openssl', [
    'dgst',
    '-sha256',
    '-verify',
    join(root, 'operator.pub'),
    '-signature',
    file('signature'),
    file('message'),
  ])
  expect(said.toString()).toContain('Verified OK')
})
