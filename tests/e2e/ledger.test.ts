import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { readRequests, type StoredRequest } from '../../artifacts/stored-ledgers.ts'
import { sha256 } from '../../common/canonical.ts'
import { chainFlaws } from '../../experiment/records/deletion-flaws.ts'
import type { Attempt, Deletion } from '../../experiment/records/deletion.ts'
import { codeLock } from '../../experiment/stages/code.ts'
import { answerOf, zeroshift, type Ended } from '../support/command.ts'
import { Site } from '../support/durable.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import {
  queueOn,
  randomKills,
  recordBytes,
  startLedger,
  storeOf,
  type RunningLedger,
} from '../support/ledger-faults.ts'

/** Ledgers on digits with a tiny network, which share their originals and gold models. */
const sections = `data: { name: digits }
model: { name: mlp, hidden: [8] }
training: { epochs: 2, replay: { checkpoints: 2 } }
gold: { models: 1 }
heartbeatSeconds: 2
`
const ladders = {
  exact: `ladder: [{ method: finetune, epochs: 1 }, { method: replay }]\naccept: { averageGap: { atMost: 0 } }\n`,
  // The second request starts from a fine-tuned model, which is within the limit already.
  measured: `ladder: [{ method: finetune, epochs: 2 }, { method: replay }]\naccept: { activationForget: { atMost: 0.42 } }\n`,
  batched: `batch: 1d\nladder: [{ method: finetune, epochs: 1 }, { method: replay }]\naccept: { averageGap: { atMost: 0 } }\n`,
  refusing: `ladder: [{ method: finetune, epochs: 1 }]\naccept: { averageGap: { atMost: 0 } }\n`,
}
type Name = keyof typeof ladders
const sequence: readonly (readonly [Name, string])[] = [
  ['exact', '3,5'],
  ['exact', '7'],
  ['measured', '3,5'],
  ['measured', '7'],
  ['refusing', '3,5'],
  ['batched', '3,5'],
  ['batched', '7'],
  ['batched', '2'],
]

function writeConfigs(directory: string): void {
  for (const [name, rest] of Object.entries(ladders))
    writeFileSync(join(directory, `${name}.yaml`), `name: ${name}\n${sections}${rest}`)
}

/** Fulfils the sequence of requests on a site. `disturb` works beside each ledger. */
async function fulfilled(
  site: Site,
  disturb: (ledger: RunningLedger) => Promise<void> = () => Promise.resolve(),
): Promise<Artifacts> {
  writeConfigs(site.directory)
  for (const [i, [name, indices]] of sequence.entries()) await queueOn(site, name, indices, `case ${i + 1}`)
  for (const name of ['exact', 'measured', 'refusing', 'batched'] as const) {
    const handle = await startLedger(site, name, { now: name === 'batched' })
    await disturb(handle)
    await handle.result()
  }
  return storeOf(site)
}

async function settled(artifacts: Artifacts, name: Name): Promise<readonly Required<StoredRequest>[]> {
  return (await readRequests(artifacts, name)).map(({ request, record, notes }) => {
    if (!record || !notes) throw new Error(`request ${request.number} of ${name} has no record`)
    return { request, record, notes }
  })
}

describe('requests in sequence', () => {
  let artifacts: Artifacts
  let bytes: Readonly<Record<string, string>>
  let exact: readonly Deletion[]
  let measured: readonly Deletion[]
  let kept: string

  beforeAll(async () => {
    kept = fileDirectory()
    const site = await new Site().open()
    try {
      await site.worker()
      const found = await fulfilled(site)
      bytes = await recordBytes(found)
      cpSync(site.directory, kept, { recursive: true, filter: (path) => !/temporal\.db|\/log$/.test(path) })
    } finally {
      await site.close()
    }
    artifacts = openArtifacts(join(kept, 'store'))
    exact = (await settled(artifacts, 'exact')).map(({ record }) => record)
    measured = (await settled(artifacts, 'measured')).map(({ record }) => record)
  })

  test('the ladder continues where a model misses the rule, and an exact model is accepted', () => {
    for (const record of exact) {
      expect(record).toMatchObject({ state: 'fulfilled', claim: 'replayed' })
      expect(record.attempts).toMatchObject([
        {
          label: 'finetune',
          outcome: 'missed',
          claim: 'measured',
          evidence: [{ figure: 'averageGap', limit: 0 }],
        },
        { label: 'replay', outcome: 'accepted', claim: 'replayed' },
      ])
    }
    expect(exact[0]?.code).toMatchObject({
      stages: {
        train: { version: codeLock.train?.version },
        'unlearn:replay': { digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      },
    })
    const [replay] = exact[0]?.attempts.slice(1) ?? []
    expect(replay?.cost?.samples).toBeGreaterThan(0)
  })

  test('each record follows the one before: its digest, its model and its samples', async () => {
    for (const records of [exact, measured]) {
      const [first, second] = records
      if (!first || !second) throw new Error('not reached')
      expect(first.previous).toBeNull()
      const text = bytes[`ledgers/${first.ledger.name}/000001.json`] ?? ''
      expect(second.previous).toBe(createHash('sha256').update(text).digest('hex'))
      expect(second.model.before).toEqual(first.model.after)
      expect(second.data.before).toBe(first.data.after)
      expect(second.data.after).not.toBe(second.data.before)
      expect([first.forgottenBefore, second.forgottenBefore]).toEqual([2, 3])
      for (const { sha256, bytes } of [first.model.before, second.model.after])
        await artifacts.getBlob({ sha256, bytes })
    }
    // The two ledgers have the same original, and other models in use.
    expect(exact[0]?.model.before).toEqual(measured[0]?.model.before)
    expect(exact[0]?.model.after).not.toEqual(measured[0]?.model.after)
  })

  test('samples that were forgotten earlier stay in the forget set', async () => {
    const run = await artifacts.run(measured[1]?.attempts[0]?.run ?? '')
    expect(run?.spec.split).toEqual({ kind: 'indices', indices: [3, 5, 7] })
    expect(run?.plan.original.params.on).toBe('given')
    expect(
      (await artifacts.manifest<'split'>(run?.plan.split ?? { kind: 'split', key: '' }))?.metrics.forget,
    ).toBe(3)
  })

  test('a rule that the model in use meets as well accepts no approximate method', () => {
    const before = (record: Deletion | undefined) => {
      const [attempt]: readonly (Attempt | undefined)[] = record?.attempts ?? []
      return attempt?.evidence[0]?.before?.value ?? 0
    }
    expect(measured[0]).toMatchObject({ claim: 'measured', attempts: [{ outcome: 'accepted' }] })
    expect(before(measured[0])).toBeGreaterThan(0.42)
    expect(measured[1]).toMatchObject({
      claim: 'replayed',
      attempts: [
        { outcome: 'missed', reason: expect.stringContaining('meets the rule as well') as string },
        { outcome: 'accepted' },
      ],
    })
    expect(measured[1]?.attempts[0]?.evidence[0]?.accepted).toBe(true)
    expect(before(measured[1])).toBeLessThanOrEqual(0.42)
  })

  test('the replay of the second request leaves out the samples of both, from the beginning', async () => {
    const run = await artifacts.run(exact[1]?.attempts[1]?.run ?? '')
    expect(run?.spec).toMatchObject({ split: { indices: [3, 5, 7] }, methods: [{ method: 'replay' }] })
    expect(run?.plan.original.params.on).toBe('all')
  })

  test('a request without an accepted model is refused with the reason, and the model stays', async () => {
    const [only] = await settled(artifacts, 'refusing')
    const record = only?.record
    expect(record).toMatchObject({ state: 'refused', attempts: [{ outcome: 'missed' }], forgottenBefore: 0 })
    expect(record?.reason).toMatch(
      /^no step of the ladder is left: finetune missed averageGap \(.*, at most 0\)$/,
    )
    expect(record?.model.after).toEqual(record?.model.before)
    expect(record?.data.after).toBe(record?.data.before)
    expect(record).not.toHaveProperty('claim')
  })

  test('requests of a batch are settled in one step, and each has its own record', async () => {
    const records = (await settled(artifacts, 'batched')).map(({ record }) => record)
    const [first] = records
    for (const [i, record] of records.entries()) {
      expect(record).toMatchObject({ number: i + 1, state: 'fulfilled', claim: 'replayed' })
      expect(record).toMatchObject({ batch: { first: 1, last: 3 }, attempts: first?.attempts })
      expect([record.model, record.data]).toEqual([first?.model, first?.data])
      expect(chainFlaws(record, records.slice(0, i))).toEqual([])
    }
    expect(records.map(({ forgotten }) => forgotten.samples)).toEqual([2, 1, 1])
    expect(records.map(({ forgottenBefore }) => forgottenBefore)).toEqual([2, 3, 4])
    const run = await artifacts.run(first?.attempts[1]?.run ?? '')
    expect(run?.spec).toMatchObject({ split: { indices: [2, 3, 5, 7] }, methods: [{ method: 'replay' }] })
  })

  test('a record names no sample, and the notes beside it do', async () => {
    const [first] = await settled(artifacts, 'exact')
    expect(first?.notes.samples).toEqual([
      { id: '3', index: 3 },
      { id: '5', index: 5 },
    ])
    expect(bytes['ledgers/exact/000001.json']).not.toContain(first?.notes.salt)
  })

  test('the commands show the ledger, continue an empty queue, and refuse to remove what it needs', async () => {
    const command = (...args: readonly string[]) => zeroshiftHereWith({}, kept, ...args, '--store', 'store')
    const shown = await command('ledger', 'exact', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({
      name: 'exact',
      model: exact[1]?.model.after,
      forgotten: 3,
      requests: [{ number: 1, samples: 2, state: 'fulfilled', claim: 'replayed' }, { number: 2 }],
    })
    const table = await command('ledger', 'refusing.yaml')
    expect(table.stdout).toMatch(/1 +case 5 .* 2 +refused +–/)
    const run = exact[0]?.attempts[0]?.run ?? ''
    const refused = await command('rm', run, '--delete')
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain(`${run} is a step of the ledger exact`)
    const before = (await artifacts.store.list('runs/')).length
    expect(await command('gc', '--delete', '--keep-last', '1')).toMatchObject({ code: 0 })
    expect((await artifacts.store.list('runs/')).length).toBe(before)
    for (const { model } of [...exact, ...measured]) await artifacts.getBlob(model.after)
    expect(await command('check')).toMatchObject({ code: 0 })
    const again = await command('forget', 'exact.yaml', '--indices', '5', '--reference', 'case 9')
    expect(again).toMatchObject({ code: 2 })
    expect(again.stderr).toContain('sample 5 was forgotten by request 1 ("case 1") already')
    // This one starts a server.
    const queued = ['forget', 'exact.yaml', '--queued', '--json', '--store', 'store']
    const settled = await zeroshift(kept, ...queued).ended
    expect(JSON.parse(settled.stdout)).toMatchObject({ id: 'exact', status: 'completed', request: null })
  })

  test('a request that a command makes ends in a certificate that holds without the store', async () => {
    const done = ({ code, stdout, stderr }: Ended) => {
      expect(code, stderr).toBe(0)
      return stdout
    }
    const command = async (...args: readonly string[]) => done(await zeroshift(kept, ...args).ended)
    /** For commands that start no server. */
    const here = async (...args: readonly string[]) => done(await zeroshiftHereWith({}, kept, ...args))
    await here('key', 'new', 'operator')
    const ledger = ['measured.yaml', '--store', 'store']
    await command('forget', ...ledger, '--indices', '2,4', '--reference', 'case 6')
    await here('certificate', ...ledger, '3', '--out', 'request-3', '--key', 'operator')
    const checked = await here('verify', 'request-3', '--require-signature', 'operator.pub', '--json')
    const [, second] = measured
    expect(JSON.parse(checked)).toMatchObject({
      status: 'verified',
      certificate: { ledger: 'measured', number: 3, state: 'fulfilled', claim: 'measured', proofs: 2 },
    })
    const text = readFileSync(join(kept, 'request-3', 'record.json'), 'utf8')
    const { model, previous, forgottenBefore } = JSON.parse(text) as Deletion
    expect(model.before).toEqual(second?.model.after)
    expect(previous).toBe(sha256(bytes['ledgers/measured/000002.json'] ?? ''))
    expect(forgottenBefore).toBe(5)

    // Each request of a batch has a certificate of its own, of the same model.
    const batched = ['batched.yaml', '--store', 'store']
    await command('certificate', ...batched, '2', '--out', 'in-batch', '--key', 'operator')
    const held = await command('verify', 'in-batch', '--require-signature', 'operator.pub')
    expect(held).toMatch(/^Request 2 of the ledger batched, 1 sample: fulfilled, claim "replayed"\.$/m)
    expect(held).toContain('Requests 1 to 3 were settled together')
    expect(await command('ledger', ...batched)).toMatch(/^requests 1 to 3$/m)

    // The method started from the model of the second request, which the private part has.
    rmSync(join(kept, '.zeroshift'), { recursive: true, force: true })
    const again = await command('verify', 'request-3', '--recompute', '--key', 'operator', '--json')
    expect(answerOf(again)).toMatchObject({
      status: 'verified',
      recomputed: { ledger: 'measured', number: 3, model: model.after.sha256, same: true },
    })
    expect(JSON.parse(await here('verify', 'request-3', '--json'))).toMatchObject({
      certificate: { recomputations: [{ result: 'verified', model: model.after.sha256 }] },
    })
    rmSync(join(kept, 'request-3', 'private'), { recursive: true })
    const published = await zeroshiftHereWith({}, kept, 'verify', 'request-3', '--recompute')
    expect(published).toMatchObject({ code: 2 })
    expect(published.stderr).toContain('ask the operator for the whole certificate')
  })

  test('workers that are killed at random change no byte of any record', async () => {
    const site = await new Site().open()
    try {
      const { disturb, kills } = await randomKills(site, 21)
      expect(await recordBytes(await fulfilled(site, disturb))).toEqual(bytes)
      expect(kills()).toBeGreaterThan(0)
    } finally {
      await site.close()
    }
  })
})
