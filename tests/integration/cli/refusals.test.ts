import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { answerOf, smallConfig } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'
import { zeroshiftHere } from '../../support/in-process.ts'

/**
 * Whatever is wrong with what a user gives: exit code 2, the place, nothing written, and with
 * --json one object.
 */

let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(
    join(directory, 'sweep.yaml'),
    'name: s\nbase: small.yaml\ngrid: { training.epochs: [1, 2] }\n',
  )
  writeFileSync(join(directory, 'file'), '')
  mkdirSync(join(directory, 'folder'))
})

/** A mistake that makes a command wrong, and the text that names it. */
const refusals: readonly (readonly [readonly string[], RegExp])[] = [
  [['run', 'nowhere.yaml'], /^nowhere\.yaml: there is no such file; expected an experiment's YAML config$/m],
  [['run', 'folder'], /^folder: this is a directory, expected a file/m],
  [['run', '/dev/zero'], /^\/dev\/zero: this is a device/m],
  [['run', 'small.yaml', '--fast'], /unknown option '--fast'/],
  [['run'], /missing required argument 'config'/],
  [['walk'], /unknown command 'walk'/],
  [
    ['run', 'small.yaml', '--store', '/dev/null', '--dry-run', '-S', 'seed=x'],
    /^-S seed=x: seed: expected a mapping/m,
  ],
  [['sweep', 'nowhere.yaml'], /^nowhere\.yaml: there is no such file; expected a sweep's YAML config$/m],
  [['sweep', 'sweep.yaml', '--max-parallel', '0'], /--max-parallel: expected a whole number from 1 to 500/],
  [['resume', 'nothing-00000000'], /has no run 'nothing-00000000'/],
  [['status', 'nothing-00000000'], /no run or sweep 'nothing-00000000'/],
  [['status', '--temporal', 'http://host:7233'], /"http:\/\/host:7233" is no address of a Temporal server/],
  [['status', '--temporal', '127.0.0.1:99999'], /no address of a Temporal server; expected HOST:PORT/],
  [['runs', '--status', 'done'], /--status: expected one of running/],
  [['runs', '--rank', 'x'], /--rank: expected a whole number/],
  [['compare', 'a-00000000', 'b-00000000'], /has no run 'a-00000000'/],
  [['compare', 'a-00000000'], /nothing to be compared with/],
  [['report', 'a-00000000'], /has no run 'a-00000000'/],
  [['verify', 'a-00000000'], /no file and no folder "a-00000000"/],
  [['track', 'a-00000000'], /has no run 'a-00000000'/],
  [['run', 'small.yaml', '--store', ''], /^--store: empty text; expected a value, or none of it at all$/m],
  [['run', 'small.yaml', '--temporal', ' '], /^--temporal: empty text/m],
  [['run', ''], /^<config>: empty text/m],
  [['run', 'small.yaml', '-S', ''], /^--set: empty text/m],
  [['run', 'small.yaml', '-S', 'store=""'], /^-S store="": store: expected text that is not empty/m],
  [['report', 'a-00000000', '--out', ''], /^--out: empty text/m],
  [['compare', 'a', ''], /^<ids>: empty text/m],
  [['worker', '--allow-store', ''], /^--allow-store: empty text/m],
  [['worker', '--allow-store', 's3://bucket', '--allow-source', ''], /^--allow-source: empty text/m],
  [['verify', 'file', '--data-directory', ''], /^--data-directory: empty text/m],
  [['gc', '--grace', 'long'], /--grace/],
  [['gc', '--keep-last', 'x'], /--keep-last: expected a whole number/],
  [['gc', '--keep-within', 'long', '--delete'], /--keep-within: expected a time above 0/],
  [['rm', 'a-00000000', '--delete'], /^the store .* is not there; expected a directory with results/m],
  [['rm', 'a-00000000', '--grace', '0h'], /--grace/],
  [['rm', ''], /^<ids>: empty text/m],
  [['gc', '--store', 'ftp://host/a'], /store "ftp:\/\/host\/a" is of an unknown kind/],
  [['doctor', 'nowhere.yaml'], /^nowhere\.yaml: there is no such file/m],
  [['doctor', '--device', 'tpu'], /--device/],
  [['adapter', 'inspect', 'folder'], /adapter_config\.json is missing/],
  [['adapter', 'export', 'a-00000000', '--out', 'x'], /has no run 'a-00000000'/],
  [['adapter', 'merge', 'folder', '--base', 'folder', '--out', 'x'], /adapter_config\.json is missing/],
  [['adapter', 'apply', 'folder', 'file', '--base', 'folder'], /adapter_config\.json is missing/],
]
const withoutJson = new Set(['worker', 'report', 'track', 'adapter export', 'adapter merge', 'walk'])
const verbOf = ([verb = '', second = '']: readonly string[]) =>
  verb === 'adapter' ? `${verb} ${second}` : verb

describe.each(refusals)('zeroshift %j', (args, message) => {
  test('is refused, and nothing is written', async () => {
    const before = readdirSync(directory, { recursive: true })
    const { code, stdout, stderr } = await zeroshiftHere(directory, ...args)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
    expect(readdirSync(directory, { recursive: true })).toEqual(before)
  })

  test.skipIf(withoutJson.has(verbOf(args)))(
    'ends with one JSON object where --json asks for it',
    async () => {
      const { code, stdout } = await zeroshiftHere(directory, ...args, '--json')
      expect(code).toBe(2)
      expect(stdout.split('\n')).toHaveLength(2)
      const { status, problems } = JSON.parse(stdout) as {
        status: string
        problems: readonly { message: string }[]
      }
      expect(status).toBe('invalid')
      expect(problems[0]?.message).toBeTruthy()
    },
  )
})

const unusable: readonly (readonly [string, RegExp])[] = [
  ['file', /is a file/],
  ['file/below', /is a file/],
  ['/dev/null', /is a (file|device)/],
  ['/proc/zeroshift', /no folder can be made there/],
]

describe.each(unusable)('%s as a store, a cache or an output', (place, reason) => {
  test('is refused before anything begins', async () => {
    const before = readdirSync(directory)
    for (const args of [
      ['run', 'small.yaml', '--json', '--store', place],
      ['run', 'small.yaml', '--json', '-S', `store=${resolve(directory, place)}`],
      ['sweep', 'sweep.yaml', '--json', '--store', place],
    ]) {
      const { code, stdout, stderr } = await zeroshiftHere(directory, ...args)
      expect(stderr).toMatch(/^the store .* (cannot be written to: |is )/m)
      expect(stderr).toMatch(reason)
      expect([code, answerOf(stdout).status]).toEqual([2, 'invalid'])
    }
    // The stack that would have computed it has had its folder made.
    expect(readdirSync(directory).filter((name) => name !== '.zeroshift')).toEqual(before)
    expect(existsSync(join(directory, '.zeroshift', 'store'))).toBe(false)
  })

  test('as ZEROSHIFT_CACHE is refused before anything begins', async () => {
    vi.stubEnv('ZEROSHIFT_CACHE', resolve(directory, place))
    try {
      const { code, stdout, stderr } = await zeroshiftHere(directory, 'run', 'small.yaml', '--json')
      expect(stderr).toMatch(/^the cache .* cannot be used: .*; name another directory as ZEROSHIFT_CACHE$/m)
      expect([code, answerOf(stdout).status]).toEqual([2, 'invalid'])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

test('an empty ZEROSHIFT_STORE is no store', async () => {
  vi.stubEnv('ZEROSHIFT_STORE', '')
  for (const args of [['run', 'small.yaml', '--dry-run'], ['gc'], ['report', 'a-00000000']]) {
    const { code, stderr } = await zeroshiftHere(directory, ...args)
    expect(stderr).toMatch(/^the store is empty text; expected a directory/m)
    expect(code).toBe(2)
  }
  vi.unstubAllEnvs()
})
