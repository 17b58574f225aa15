import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import type { CheckedStore } from '../../../artifacts/check/check-store.ts'
import { signStage } from '../../../artifacts/stored-signatures.ts'
import type { CheckedSignatures } from '../../../cli/workspace/report-signatures.ts'
import { canonicalJson } from '../../../common/canonical.ts'
import type { Manifest } from '../../../experiment/records/manifest.ts'
import type { RunInput } from '../../../experiment/records/run.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import { preAuthenticationEncoding } from '../../../signatures/envelope.ts'
import { newSigningKey, privatePem, publicPem, type SigningKey } from '../../../signatures/keys.ts'
import { computeRun, tinyRun } from '../../support/computed-run.ts'
import { fileDirectory } from '../../support/directories.ts'
import { zeroshiftHere } from '../../support/in-process.ts'

interface Envelope {
  payload: string
  payloadType: string
  signatures: { keyid: string; sig: string; spki?: string }[]
}

let root: string
/** The store in which the run was computed with the key. Tests work on copies of it. */
let origin: string
let input: RunInput
let directory: string
let store: string
let artifacts: Artifacts
const ours = newSigningKey()
const theirs = newSigningKey()

beforeAll(async () => {
  root = fileDirectory()
  origin = join(root, 'origin')
  input = await tinyRun(origin)
  await computeRun(input, { signer: ours })
})

let count = 0
beforeEach(() => {
  directory = join(root, `test-${count++}`)
  mkdirSync(directory)
  const pair = (name: string, key: SigningKey) => {
    writeFileSync(join(directory, name), privatePem(key))
    writeFileSync(join(directory, `${name}.pub`), publicPem(key.publicKey))
  }
  pair('ours', ours)
  pair('theirs', theirs)
  useStore('store', origin)
})

function useStore(name: string, copied?: string): void {
  store = join(directory, name)
  if (copied !== undefined) cpSync(copied, store, { recursive: true })
  artifacts = openArtifacts(store)
}

const stages = () => stagesOf(input.run.plan)
const the = (kind: Stage['kind']) => {
  const found = stages().find((stage) => stage.kind === kind)
  if (!found) throw new Error(`the run has no stage of the kind ${kind}`)
  return found
}
const folderOf = ({ kind, key }: Stage) => join(store, 'stages', kind, key)
const signatureOf = (stage: Stage, { publicKey }: SigningKey = ours) =>
  join(folderOf(stage), 'signatures', `${publicKey.id}.json`)
const reportSignature = ({ publicKey }: SigningKey = ours) =>
  join(store, 'runs', input.run.id, 'report.signatures', `${publicKey.id}.json`)
const envelopeIn = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Envelope
const statementIn = (file: string) =>
  JSON.parse(Buffer.from(envelopeIn(file).payload, 'base64').toString()) as Record<string, unknown>

const command = (...args: readonly string[]) => zeroshiftHere(directory, ...args)

async function answer<T>(...args: readonly string[]): Promise<T & { readonly code: number | null }> {
  const { code, stdout } = await command(...args, '--json')
  expect(stdout.trim().split('\n')).toHaveLength(1)
  return { ...(JSON.parse(stdout) as T), code }
}
const check = (...args: readonly string[]) =>
  answer<CheckedStore & { readonly sound: boolean }>('check', '--store', store, ...args)
const requiring = (name: string) => ['--require-signature', `${name}.pub`]

/** Base64 of the same bytes but for the last bit. */
function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return bytes.toString('base64')
}

/** Sets an environment variable while something is done. */
async function withVariable<T>(name: string, value: string, work: () => Promise<T>): Promise<T> {
  process.env[name] = value
  try {
    return await work()
  } finally {
    delete process.env[name]
  }
}

describe('a run that is computed with a key', () => {
  test('has a signature of each manifest and of the report, and the same bytes as without', async () => {
    for (const stage of stages()) expect(existsSync(signatureOf(stage)), stage.title).toBe(true)
    expect(statementIn(signatureOf(the('train'))).predicateType).toBe('urn:zeroshift:stage-computed:v1')
    expect(statementIn(reportSignature()).predicateType).toBe('urn:zeroshift:report-rendered:v1')

    const signed = artifacts
    useStore('unsigned')
    await computeRun(await tinyRun(store))
    const digestsIn = async (where: Artifacts) =>
      Promise.all(
        stages().map(async (stage) => {
          const manifest = await where.complete(stage)
          if (!manifest) throw new Error(`'${stage.title}' is not there`)
          const { clock: _, ...computed } = manifest
          return computed
        }),
      )
    expect(await digestsIn(artifacts)).toEqual(await digestsIn(signed))
    const report = async (where: Artifacts) =>
      JSON.parse((await where.reportJson(input.run.id)) ?? '') as { digest: string; computed: object }
    const { digest, computed } = await report(artifacts)
    expect(await report(signed)).toMatchObject({ digest, computed })
    const names = readdirSync(store, { recursive: true }).map(String)
    expect(names.filter((name) => name.includes('signatures'))).toEqual([])
  })

  test('has signatures that openssl verifies', () => {
    const { payload, payloadType, signatures } = envelopeIn(signatureOf(the('train')))
    const message = preAuthenticationEncoding(payloadType, Buffer.from(payload, 'base64'))
    writeFileSync(join(directory, 'message'), message)
    writeFileSync(join(directory, 'signature'), Buffer.from(signatures[0]?.sig ?? '', 'base64'))
    const args = ['dgst', '-sha256', '-verify', 'ours.pub', '-signature', 'signature', 'message']
    expect(execFileSync('openssl', args, { cwd: directory }).toString()).toContain('Verified OK')
  })

  test('passes the check that demands the key, and no other', async () => {
    const expected = { code: 0, sound: true, signatures: stages().length + 1, damage: [] }
    const whole = await check()
    expect(whole).toMatchObject(expected)
    expect(whole).not.toHaveProperty('demanded')
    expect(await check(...requiring('ours'))).toMatchObject({ ...expected, demanded: { unsigned: [] } })
    expect(await check(...requiring('theirs'), ...requiring('ours'))).toMatchObject({
      code: 0,
      demanded: { unsigned: [] },
    })
    const refused = await check(...requiring('theirs'))
    expect(refused).toMatchObject({ code: 1, sound: true, damage: [] })
    expect(refused.demanded?.unsigned).toHaveLength(stages().length)
    expect(refused.demanded?.unsigned[0]).toMatchObject({
      runs: [input.run.id],
      what: `it is signed by ${ours.publicKey.id}; expected a signature by ${theirs.publicKey.id}`,
    })
    const { stdout } = await command('check', '--store', store, ...requiring('ours'))
    expect(stdout).toMatch(
      /\d+ signatures that hold\nEverything is as it was written\.\nEvery stage is signed by a required key: \d+ as computed, 0 as attested\.\n$/,
    )
  })

  test('keeps its signatures when a stage is found in the store, and signs nothing that others computed', async () => {
    const before = readFileSync(signatureOf(the('train')))
    await computeRun({ ...input, settings: { store: `file://${store}` } }, { signer: theirs })
    expect(readFileSync(signatureOf(the('train')))).toEqual(before)
    for (const stage of stages()) expect(existsSync(signatureOf(stage, theirs))).toBe(false)
    // The report was rendered again, which is what that signature says.
    expect(existsSync(reportSignature(theirs))).toBe(true)
    expect(existsSync(reportSignature())).toBe(true)
    expect(await check(...requiring('ours'))).toMatchObject({ code: 0, demanded: { unsigned: [] } })
  })

  test('keeps its signatures when a later attempt tidies up', async () => {
    const stage = the('train')
    await artifacts.store.put(`stages/train/${stage.key}/lease/000001.json`, Buffer.from('{}'))
    const activity = createActivities().train as (task: object) => Promise<object>
    await new MockActivityEnvironment({ attempt: 2 }).run(activity, {
      stage,
      settings: { store: `file://${store}` },
    })
    const left = await artifacts.store.list(`stages/train/${stage.key}/`)
    expect(left.map(({ path }) => path)).toEqual([
      `stages/train/${stage.key}/manifest.json`,
      `stages/train/${stage.key}/signatures/${ours.publicKey.id}.json`,
    ])
  })
})

test('a signature of a result that another one has replaced goes with it', async () => {
  const stage = the('train')
  const manifest = await artifacts.manifest(stage)
  if (!manifest) throw new Error('no manifest')
  const other = { ...manifest, outputs: { model: await artifacts.putBlob(Buffer.from('other')) } } as Manifest
  for (const { sha256 } of Object.values(manifest.outputs))
    rmSync(join(store, 'blobs/sha256', sha256.slice(0, 2), sha256))
  // A worker with another key computes it again, to other bytes.
  await signStage(artifacts, other, 'computed', theirs)
  await artifacts.commit(other)
  await artifacts.clear(stage)
  expect(existsSync(signatureOf(stage))).toBe(false)
  expect(existsSync(signatureOf(stage, theirs))).toBe(true)
})

describe('a signature that was changed is found', () => {
  const cases = (): [string, (envelope: Envelope) => unknown, RegExp][] => {
    const change = (edit: (statement: Record<string, unknown>) => object) => (envelope: Envelope) => {
      const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as Record<
        string,
        unknown
      >
      return { ...envelope, payload: Buffer.from(canonicalJson(edit(statement))).toString('base64') }
    }
    const unverified = /the signature by [0-9a-f]{64} does not verify/
    const [first, ...rest] = statementIn(signatureOf(the('train'))).subject as object[]
    return [
      ...['_type', 'subject', 'predicateType', 'predicate'].map(
        (field): [string, (envelope: Envelope) => unknown, RegExp] => [
          `without ${field}`,
          change(({ [field]: _, ...others }) => others),
          unverified,
        ],
      ),
      [
        'the digest',
        change((s) => ({ ...s, subject: [{ ...first, digest: { sha256: '0'.repeat(64) } }, ...rest] })),
        unverified,
      ],
      [
        'the stage',
        change((s) => ({ ...s, subject: [{ ...first, name: 'stages/train/0' }, ...rest] })),
        unverified,
      ],
      ['the key', change((s) => ({ ...s, predicate: { ...(s.predicate as object), key: '0' } })), unverified],
      [
        'the kind',
        change((s) => ({ ...s, predicate: { ...(s.predicate as object), kind: 'split' } })),
        unverified,
      ],
      ['the claim', change((s) => ({ ...s, predicateType: 'urn:zeroshift:stage-attested:v1' })), unverified],
      [
        'the type of the payload',
        (e) => ({ ...e, payloadType: 'text/plain' }),
        /has a payload of the type "text\/plain"/,
      ],
      [
        'a byte of the signature',
        ({ signatures: [one], ...e }) => ({ ...e, signatures: [{ ...one, sig: flipped(one?.sig ?? '') }] }),
        unverified,
      ],
      [
        'the id of the key',
        ({ signatures: [one], ...e }) => ({ ...e, signatures: [{ ...one, keyid: theirs.publicKey.id }] }),
        /the digest of its spki/,
      ],
      ['no signature', (e) => ({ ...e, signatures: [] }), /no DSSE envelope: signatures: /],
    ]
  }

  test('in each of its fields, and a repair deletes it alone', async () => {
    const file = signatureOf(the('train'))
    const before = envelopeIn(file)
    for (const [name, change, message] of cases()) {
      writeFileSync(file, JSON.stringify(change(before)))
      const { code, damage } = await check()
      expect(code, name).toBe(1)
      expect(damage, name).toMatchObject([
        {
          path: `stages/train/${the('train').key}/signatures/${ours.publicKey.id}.json`,
          runs: [input.run.id],
        },
      ])
      expect(damage[0]?.what, name).toMatch(message)
    }
    expect(await check('--repair')).toMatchObject({ code: 1 })
    expect(existsSync(file)).toBe(false)
    expect(await check()).toMatchObject({ code: 0, sound: true })
    const { demanded } = await check(...requiring('ours'))
    expect(demanded?.unsigned).toMatchObject([
      { what: expect.stringMatching(/^it is not signed; expected/) as string },
    ])
  })

  test('where it is a copy of that of another stage, or under the name of another key', async () => {
    copyFileSync(signatureOf(the('split')), signatureOf(the('train')))
    const copied = await check(...requiring('ours'))
    expect(copied.code).toBe(1)
    expect(copied.damage[0]?.what).toMatch(
      /^its subject\[0\]\.name is "stages\/split\/[0-9a-f]+", expected "stages\/train/,
    )
    expect(copied.demanded?.unsigned).toHaveLength(1)

    useStore('again', origin)
    copyFileSync(signatureOf(the('train')), signatureOf(the('train'), theirs))
    expect((await check()).damage[0]?.what).toMatch(/its name is that of another key/)
  })

  test('where somebody else signed under the name of the key', async () => {
    const manifest = await artifacts.manifest(the('train'))
    if (!manifest) throw new Error('no manifest')
    await signStage(artifacts, manifest, 'computed', theirs)
    const forged = envelopeIn(signatureOf(the('train'), theirs))
    const [one] = forged.signatures
    forged.signatures = [{ keyid: ours.publicKey.id, sig: one?.sig ?? '' }]
    rmSync(signatureOf(the('train'), theirs))
    writeFileSync(signatureOf(the('train')), JSON.stringify(forged))
    const { damage, demanded } = await check(...requiring('ours'))
    expect(damage[0]?.what).toMatch(/does not verify/)
    expect(demanded?.unsigned).toHaveLength(1)
    // Without the key, nothing can be said of it, and nothing is.
    expect(await check()).toMatchObject({ code: 0, signatures: stages().length })
  })
})

describe('sign', () => {
  test('attests a run that was computed without a key', async () => {
    useStore('unsigned')
    await computeRun({ ...input, settings: { store: `file://${store}` } })
    expect(await check(...requiring('ours'))).toMatchObject({ code: 1, sound: true })
    const signed = await answer('sign', input.run.id, '--key', 'ours', '--store', store)
    expect(signed).toMatchObject({
      code: 0,
      signed: stages().length,
      signedBefore: 0,
      absent: [],
      report: 'signed',
    })
    expect(statementIn(signatureOf(the('train'))).predicateType).toBe('urn:zeroshift:stage-attested:v1')
    expect(statementIn(reportSignature()).predicateType).toBe('urn:zeroshift:report-attested:v1')
    expect(await check(...requiring('ours'))).toMatchObject({ code: 0, demanded: { unsigned: [] } })
  })

  test('replaces no signature that says more', async () => {
    const before = readFileSync(signatureOf(the('train')))
    const again = await answer('sign', input.run.id, '--key', 'ours', '--store', store)
    expect(again).toMatchObject({
      code: 0,
      signed: 0,
      signedBefore: stages().length,
      report: 'signed before',
    })
    expect(readFileSync(signatureOf(the('train')))).toEqual(before)
    const { stdout } = await command('sign', input.run.id, '--key', 'theirs', '--store', store)
    expect(stdout).toContain(`${stages().length} stages signed as attested by ${theirs.publicKey.id}`)
    const count = stages().length
    expect((await check(...requiring('theirs'))).demanded).toEqual({
      ...{ signed: { computed: 0, attested: count }, unsigned: [] },
    })
    expect((await check(...requiring('theirs'), ...requiring('ours'))).demanded).toEqual({
      ...{ signed: { computed: count, attested: 0 }, unsigned: [] },
    })
  })

  test('leaves out what is not there whole, and says so by its exit code', async () => {
    rmSync(folderOf(the('evaluate')), { recursive: true })
    const signed = await answer<{ absent: string[] }>(
      'sign',
      input.run.id,
      '--key',
      'theirs',
      '--store',
      store,
    )
    expect(signed).toMatchObject({ code: 1, absent: [the('evaluate').title], report: 'signed' })
    expect(existsSync(signatureOf(the('evaluate'), theirs))).toBe(false)
  })

  test('signs nothing of a run whose report does not hold', async () => {
    const report = join(store, 'runs', input.run.id, 'report/report.json')
    writeFileSync(report, readFileSync(report, 'utf8').replaceAll('train original', 'train another'))
    const { code, stderr } = await command('sign', input.run.id, '--key', 'theirs', '--store', store)
    expect(code).toBe(2)
    expect(stderr).toMatch(/is not signed, and neither are its stages: .*changed after it was written/)
    expect(existsSync(signatureOf(the('train'), theirs))).toBe(false)
  })

  test('needs a private key', async () => {
    for (const [args, message] of [
      [[], /no key to sign with; expected .* ZEROSHIFT_SIGNING_KEY_FILE/],
      [['--key', 'ours.pub'], /ours\.pub: this is a public key; expected the private key/],
      [['--key', 'none'], /the key file none is missing/],
    ] as const) {
      const { code, stderr } = await command('sign', input.run.id, '--store', store, ...args)
      expect(code).toBe(2)
      expect(stderr).toMatch(message)
    }
    const named = await withVariable('ZEROSHIFT_SIGNING_KEY_FILE', 'theirs', () =>
      answer('sign', input.run.id, '--store', store),
    )
    expect(named).toMatchObject({ code: 0, keyid: theirs.publicKey.id })
  })
})

describe('verify --require-signature', () => {
  interface Refused {
    readonly status: string
    readonly error: string
    readonly signatures: CheckedSignatures
  }
  const refused = (target: string, ...args: readonly string[]) =>
    answer<Refused>('verify', target, '--store', store, ...args)
  const publish = (...args: readonly string[]) =>
    command('report', input.run.id, '--store', store, '--out', join(directory, 'out'), ...args)
  const lines = () =>
    readFileSync(join(directory, 'out', 'report.json.intoto.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')

  test('refuses a report by another key before anything is computed', async () => {
    const { code, status, error, signatures } = await refused(input.run.id, ...requiring('theirs'))
    expect({ code, status }).toEqual({ code: 1, status: 'unsigned' })
    expect(error).toBe(
      `the report is signed by ${ours.publicKey.id}; expected a signature by ${theirs.publicKey.id}`,
    )
    expect(signatures).toEqual({
      signers: [{ keyid: ours.publicKey.id, claim: 'rendered', named: false }],
      flaws: [],
    })
    expect(existsSync(join(directory, '.zeroshift'))).toBe(false)
    const { stderr } = await command('verify', input.run.id, '--store', store, ...requiring('theirs'))
    expect(stderr).toMatch(/expected a signature by [0-9a-f]{64}\. Nothing was computed\.\n$/)
  })

  test('refuses a report without a signature, and one with the signature of another report', async () => {
    const copy = reportSignature()
    const kept = readFileSync(copy)
    rmSync(copy)
    expect(await refused(input.run.id, ...requiring('ours'))).toMatchObject({
      ...{ code: 1, status: 'unsigned', signatures: { signers: [], flaws: [] } },
      error: `the report is not signed; expected a signature by ${ours.publicKey.id}`,
    })
    useStore('other')
    input = await tinyRun(store, 2)
    try {
      await computeRun(input)
      mkdirSync(dirname(reportSignature()))
      writeFileSync(reportSignature(), kept)
      const { code, error } = await refused(input.run.id, ...requiring('ours'))
      expect(code).toBe(1)
      expect(error).toMatch(
        /the report is not signed; expected .*; .*json: its subject\[0\]\.name is "runs\/tiny-/,
      )
    } finally {
      input = await tinyRun(origin)
    }
  })

  test('finds the signatures beside a published report, and those beside a report in a store', async () => {
    expect((await publish()).code).toBe(0)
    expect(lines()).toHaveLength(1)
    for (const target of ['out', 'out/report.json', join(store, 'runs', input.run.id, 'report')]) {
      const { signatures } = await refused(target, ...requiring('theirs'))
      expect(signatures.signers, target).toMatchObject([{ keyid: ours.publicKey.id }])
    }
    writeFileSync(join(directory, 'out', 'report.json.intoto.jsonl'), '{"payload": \n')
    const { signatures } = await refused('out', ...requiring('ours'))
    expect(signatures.flaws).toMatchObject([expect.stringMatching(/jsonl:1: this is no DSSE envelope/)])
  })

  test('a report is published with the signatures that hold for it, and one of the key that is set', async () => {
    await withVariable('ZEROSHIFT_SIGNING_KEY_FILE', 'theirs', () => publish())
    expect(lines()).toHaveLength(2)
    expect((await command('key', 'new', 'third')).code).toBe(0)
    const { signatures } = await refused('out', ...requiring('third'))
    const signers = [ours, theirs].map(({ publicKey }) => ({
      ...{ keyid: publicKey.id, claim: 'rendered', named: false },
    }))
    expect(signatures).toEqual({ signers, flaws: [] })
    // A signature that does not hold for the report is not published.
    writeFileSync(reportSignature(), readFileSync(signatureOf(the('train'))))
    rmSync(join(directory, 'out'), { recursive: true })
    await publish()
    const files = ['index.html', 'outcomes.json', 'report.json', 'report.md', 'results.csv', 'results.tex']
    expect(readdirSync(join(directory, 'out')).sort()).toEqual(files)
  })

  test('refuses what is no public key, with exit code 2', async () => {
    for (const [file, message] of [
      ['ours', /ours: this is a private key; expected the public key/],
      ['none.pub', /the key file none\.pub is missing/],
    ] as const) {
      const { code, stderr } = await command(
        'verify',
        input.run.id,
        '--store',
        store,
        '--require-signature',
        file,
      )
      expect(code).toBe(2)
      expect(stderr).toMatch(message)
      expect((await command('check', '--store', store, '--require-signature', file)).code).toBe(2)
    }
  })
})

test('check demands signatures of the named runs alone', async () => {
  const other = await tinyRun(store, 2)
  await computeRun({ ...other, settings: { store: `file://${store}` } })
  expect((await check(...requiring('ours'))).code).toBe(1)
  expect(await check(...requiring('ours'), '--run', input.run.id)).toMatchObject({
    code: 0,
    demanded: { unsigned: [] },
  })
  const { code, demanded } = await check(...requiring('ours'), '--run', other.run.id)
  expect(code).toBe(1)
  expect(demanded?.unsigned.every(({ runs }) => runs.join() === other.run.id)).toBe(true)
  const unknown = await command('check', '--store', store, ...requiring('ours'), '--run', 'none-00000000')
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no run 'none-00000000'/) as string,
  })
  const alone = await command('check', '--store', store, '--run', input.run.id)
  expect(alone).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/expected --require-signature/) as string,
  })
})

test('gc deletes the signatures of a stage with it, and no others', async () => {
  const other = await tinyRun(store, 2)
  await computeRun({ ...other, settings: { store: `file://${store}` } }, { signer: ours })
  rmSync(join(store, 'runs', other.run.id), { recursive: true })
  const shared = new Set(stages().map(({ key }) => key))
  const own = stagesOf(other.run.plan).filter(({ key }) => !shared.has(key))
  expect(own.length).toBeGreaterThan(0)
  for (const stage of own) expect(existsSync(signatureOf(stage))).toBe(true)
  const past = Date.now() / 1000 - 3 * 24 * 3600
  for (const name of readdirSync(store, { recursive: true }).map(String))
    utimesSync(join(store, name), past, past)
  expect((await command('gc', '--delete', '--store', store)).code).toBe(0)
  for (const stage of own) expect(existsSync(signatureOf(stage))).toBe(false)
  for (const stage of stages()) expect(existsSync(signatureOf(stage))).toBe(true)
  expect(await check(...requiring('ours'))).toMatchObject({ code: 0, demanded: { unsigned: [] } })
})

describe('key', () => {
  test('new writes a private key for its owner alone, and overwrites nothing', async () => {
    const made = await answer<{ keyid: string }>('key', 'new', 'fresh')
    expect(made).toMatchObject({ code: 0, privateKey: 'fresh', publicKey: 'fresh.pub' })
    expect(statSync(join(directory, 'fresh')).mode & 0o777).toBe(0o600)
    const der = execFileSync('openssl', ['pkey', '-in', 'fresh', '-pubout'], { cwd: directory }).toString()
    expect(readFileSync(join(directory, 'fresh.pub'), 'utf8')).toBe(der)
    const kept = readFileSync(join(directory, 'fresh'))
    expect(await command('key', 'new', 'fresh')).toMatchObject({
      ...{
        code: 2,
        stderr: expect.stringMatching(/fresh is there already, and no key is overwritten/) as string,
      },
    })
    expect(readFileSync(join(directory, 'fresh'))).toEqual(kept)
    rmSync(join(directory, 'fresh'))
    expect((await command('key', 'new', 'fresh')).stderr).toMatch(/fresh\.pub is there already/)
    expect(existsSync(join(directory, 'fresh'))).toBe(false)
    expect((await command('key', 'new', 'no/folder')).code).toBe(2)

    for (const file of ['fresh.pub', 'ours', 'ours.pub']) {
      const { code, stdout } = await command('key', 'show', file)
      expect(code).toBe(0)
      expect(stdout).toMatch(/^keyid [0-9a-f]{64}\n-----BEGIN PUBLIC KEY-----\n/)
      expect(stdout).not.toContain('PRIVATE')
    }
    expect(await answer('key', 'show', 'fresh.pub')).toMatchObject({ keyid: made.keyid })
    expect((await command('key', 'show', 'none')).code).toBe(2)
  })

  test.each([
    ['ours.pub', /names .*ours\.pub: this is a public key/],
    ['none', /none, which is missing/],
  ])('a worker and report refuse %s at their start', async (file, message) => {
    await withVariable('ZEROSHIFT_SIGNING_KEY_FILE', join(directory, file), async () => {
      const { code, stderr } = await command('worker', '--temporal', '127.0.0.1:1')
      expect(code).toBe(2)
      expect(stderr).toMatch(message)
      expect((await command('report', input.run.id, '--store', store)).code).toBe(2)
    })
  })
})
