import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { readRequests } from '../../../../artifacts/stored-ledgers.ts'
import { createInspection } from '../../../../cli/launch/inspection.ts'
import { prepareLedger, readLedgerConfig, requestedSamples } from '../../../../cli/launch/prepare-ledger.ts'
import { queueRequest } from '../../../../cli/launch/queue-request.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

const config = (data: string) => `name: small
data: ${data}
model: { name: mlp, hidden: [4] }
training: { epochs: 1 }
gold: { models: 1 }
ladder: [{ method: finetune, epochs: 1 }]
accept: { averageGap: { atMost: 5 } }
`

let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'digits.yaml'), config('{ name: digits }'))
  writeFileSync(join(directory, 'empty.txt'), '# nothing\n')
})

const forget = (...args: readonly string[]) => zeroshiftHere(directory, 'forget', ...args)

async function pictures(): Promise<void> {
  const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  for (const name of ['cat', 'dog'].flatMap((kind) =>
    [0, 1, 2, 3, 4, 5].map((i) => `train/${kind}/${i}.png`),
  ))
    write(name, png)
  for (const name of ['cat', 'dog'].flatMap((kind) => [6, 7].map((i) => `test/${kind}/${i}.png`)))
    write(name, png)
  writeFileSync(join(directory, 'pictures.yaml'), config('{ name: image-folder, from: pictures }'))
}

function write(name: string, bytes: Buffer): void {
  const path = join(directory, 'pictures', name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, bytes)
}

const reference = ['--reference', 'case 1']

test.each<[string, readonly string[], string]>([
  ['no samples', reference, 'either --names FILE or --indices 3,5; neither given'],
  ['two lists', ['--indices', '3', '--names', 'a.txt', ...reference], 'both given'],
  ['no reference', ['--indices', '3'], '--reference: expected one line of 1 to 200 characters'],
  ['a reference of two lines', ['--indices', '3', '--reference', 'a\nb'], '--reference: expected one line'],
  ['no number', ['--indices', ' , ', ...reference], 'names no sample'],
  [
    'a word',
    ['--indices', '3,x', ...reference],
    `expected a sample's index, a whole number from 0, found "x"`,
  ],
  ['a number twice', ['--indices', '3,3', ...reference], 'sample 3 is listed twice'],
  ['a test sample', ['--indices', '0', ...reference], 'sample 0 is a test sample, on which no model trains'],
  ['an unknown sample', ['--indices', '1797', ...reference], 'there is no sample 1797'],
  [
    'names where there are none',
    ['--names', 'empty.txt', ...reference],
    'the samples of digits have no names',
  ],
  ['a request beside --queued', ['--queued', '--indices', '3'], '--queued makes no request'],
  [
    'the end of no batch',
    ['--queued', '--now'],
    '--now: the ledger small fulfils each request at once, since digits.yaml has no batch',
  ],
  ['a queue of no ledger', ['--queued'], "has no ledger 'small'; its first request begins it"],
])('%s is refused, and nothing is written', async (_, args, message) => {
  const { code, stderr } = await forget('digits.yaml', ...args)
  expect(stderr).toContain(message)
  expect(code).toBe(2)
  expect(existsSync(join(directory, '.zeroshift'))).toBe(false)
})

test('names are looked up among those of the data', async () => {
  await pictures()
  const names = (text: string) => {
    writeFileSync(join(directory, 'forget.txt'), text)
    return forget('pictures.yaml', '--names', 'forget.txt', ...reference)
  }
  expect((await names('cat/1.png\ndgo/2.png\n')).stderr).toContain(
    'forget.txt:2:1: there is no sample "dgo/2.png"; did you mean "dog/2.png"?',
  )
  expect((await names('cat/6.png\n')).stderr).toContain('"cat/6.png" is a test sample')
  expect((await names('# none\n')).stderr).toContain('the file names no sample')
  expect((await forget('pictures.yaml', '--names', 'no.txt', ...reference)).stderr).toContain(
    'no.txt: there is no such file; expected a text file of names of samples',
  )
  const inspect = createInspection()
  const source = { config: join(directory, 'pictures.yaml'), store: join(directory, 'store') }
  const prepared = await prepareLedger(source, await readLedgerConfig(source.config), inspect)
  writeFileSync(join(directory, 'forget.txt'), 'dog/2.png\ncat/1.png\n')
  const samples = await requestedSamples({ names: join(directory, 'forget.txt') }, prepared, inspect)
  expect(samples.map(({ id }) => id)).toEqual(['train/cat/1.png', 'train/dog/2.png'])
  // The record of the ledger has no directory of this machine.
  expect(JSON.stringify(prepared.record.spec)).not.toContain('pictures')
})

test('a request is queued once, behind the earlier ones, by the rules of the ledger', async () => {
  const inspect = createInspection()
  const source = { config: join(directory, 'digits.yaml'), store: join(directory, '.zeroshift/store') }
  const prepared = async () => prepareLedger(source, await readLedgerConfig(source.config), inspect)
  const artifacts = openArtifacts(source.store)
  const queue = async (indices: string, reference: string) => {
    const ledger = await prepared()
    const samples = await requestedSamples({ indices }, ledger, inspect)
    const received = '2026-11-30T12:00:00.000Z'
    return queueRequest(artifacts, ledger, { reference, received, salt: 'ab'.repeat(32), samples })
  }
  // Commands at the same time get numbers of their own.
  const both = await Promise.all([queue('3', 'case 1'), queue('5', 'case 2')])
  expect(both.map(({ number }) => number).sort()).toEqual([1, 2])
  expect((await readRequests(artifacts, 'small')).map(({ request }) => request.number)).toEqual([1, 2])

  const again = await forget('digits.yaml', '--indices', '3', '--reference', 'case 3')
  expect(again.stderr).toMatch(/sample 3 is part of request \d \("case 1"\), which is not settled yet/)
  const same = await forget('digits.yaml', '--indices', '7', '--reference', 'case 2')
  expect(same.stderr).toMatch(/the reference "case 2" is that of request \d already/)
  writeFileSync(source.config, config('{ name: digits }').replace('atMost: 5', 'atMost: 6'))
  const other = await forget('digits.yaml', '--indices', '7', '--reference', 'case 3')
  expect(other.stderr).toMatch(
    /is not the config with which the ledger small[^]*accept\.averageGap\.atMost: 5, now 6/,
  )
  expect([again, same, other].map(({ code }) => code)).toEqual([2, 2, 2])
  expect(readdirSync(join(directory, '.zeroshift/store/ledgers/small')).sort()).toEqual([
    '000001.request.json',
    '000002.request.json',
    'ledger.json',
  ])

  const shown = await zeroshiftHere(directory, 'ledger', 'small', '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    model: null,
    forgotten: 0,
    requests: [
      { number: 1, state: 'queued' },
      { number: 2, state: 'queued' },
    ],
  })
  const unknown = await zeroshiftHere(directory, 'ledger', 'smal')
  expect(unknown.stderr).toContain(`has no ledger 'smal'; did you mean "small"?`)
})

test('a ledger says which requests wait, until when, and how to end the wait', async () => {
  writeFileSync(join(directory, 'digits.yaml'), `${config('{ name: digits }')}batch: 1d\n`)
  const inspect = createInspection()
  const source = { config: join(directory, 'digits.yaml'), store: join(directory, '.zeroshift/store') }
  const prepared = await prepareLedger(source, await readLedgerConfig(source.config), inspect)
  for (const [i, indices] of ['3', '5'].entries())
    await queueRequest(openArtifacts(source.store), prepared, {
      ...{ reference: `case ${i}`, received: `2026-11-30T12:0${i}:00.000Z`, salt: 'ab'.repeat(32) },
      samples: await requestedSamples({ indices }, prepared, inspect),
    })
  const answer = await zeroshiftHere(directory, 'ledger', 'small', '--json')
  expect(JSON.parse(answer.stdout), answer.stderr).toMatchObject({
    waiting: { first: 1, last: 2, until: '2026-12-01T12:00:00.000Z' },
  })
  const shown = await zeroshiftHere(directory, 'ledger', 'small')
  expect(shown.stdout).toContain('requests 1 to 2: settled together, not before ')
  expect(shown.stdout).toMatch(/to settle at once: \.\/zeroshift forget .*digits\.yaml --queued --now/)
})

test('configs of other kinds are refused with the command that takes them', async () => {
  const run = await zeroshiftHere(directory, 'run', 'digits.yaml', '--dry-run')
  expect(run.stderr).toMatch(/this is the config of a ledger .* by \.\/zeroshift forget digits\.yaml/)
  writeFileSync(join(directory, 'sweep.yaml'), 'name: sweep\nbase: digits.yaml\n')
  const sweep = await forget('sweep.yaml', '--indices', '3', ...reference)
  expect(sweep.stderr).toMatch(/this is the config of a sweep .* by \.\/zeroshift sweep sweep\.yaml/)
})
