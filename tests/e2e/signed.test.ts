import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { answerOf, smallConfig, zeroshiftWith } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'

let directory: string
beforeAll(() => {
  directory = fileDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
})

const zeroshift = (env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
  zeroshiftWith(env, directory, ...args).ended
/** For commands that start no server. */
const here = (...args: readonly string[]) => zeroshiftHereWith({}, directory, ...args)

test('a run is signed by its worker, published, and verified with the demand of the signature', async () => {
  for (const name of ['ours', 'theirs']) expect((await here('key', 'new', name)).code).toBe(0)
  const shown = await here('key', 'show', 'ours.pub')
  const [, keyid] = /^keyid ([0-9a-f]{64})$/m.exec(shown.stdout) ?? []

  const refused = await zeroshift({ ZEROSHIFT_SIGNING_KEY_FILE: 'ours.pub' }, 'run', 'small.yaml', '--json')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/ZEROSHIFT_SIGNING_KEY_FILE names ours\.pub: this is a public key/)

  const ran = await zeroshift({ ZEROSHIFT_SIGNING_KEY_FILE: 'ours' }, 'run', 'small.yaml', '--json')
  expect(ran.code, ran.stderr).toBe(0)
  const { id } = answerOf(ran.stdout)
  const secret = readFileSync(join(directory, 'ours'), 'utf8').split('\n')[1] ?? ''
  const log = readFileSync(join(directory, '.zeroshift', 'worker.log'), 'utf8')
  for (const text of [ran.stdout, ran.stderr, log]) expect(text).not.toContain(secret)

  const checked = await here('check', '--require-signature', 'ours.pub')
  expect(checked.stdout).toMatch(
    /^Every stage is signed by a required key: \d+ as computed, 0 as attested\.$/m,
  )
  expect(checked.code).toBe(0)

  expect((await here('report', id, '--out', 'published')).code).toBe(0)
  const theirs = await here('verify', 'published', '--require-signature', 'theirs.pub', '--json')
  expect(theirs.code).toBe(1)
  expect(answerOf(theirs.stdout)).toMatchObject({
    id,
    status: 'unsigned',
    stages: { computed: 0, cached: 0 },
  })

  const ours = await zeroshift({}, 'verify', 'published', '--require-signature', 'ours.pub', '--json')
  expect(ours.code, ours.stderr).toBe(0)
  expect(ours.stderr).toContain(`The report is signed by ${keyid}, as rendered.`)
  expect(answerOf(ours.stdout)).toMatchObject({
    status: 'verified',
    signatures: { signers: [{ keyid, claim: 'rendered', named: true }], flaws: [] },
  })
})
