import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { answerOf, smallConfig, zeroshiftWith } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'

let directory: string
beforeAll(() => {
  directory = fileDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  for (const name of ['ours', 'theirs'])
    writeFileSync(join(directory, name), `${name}:${randomBytes(32).toString('base64')}\n`)
})

const withKeys = (name: string, ...args: readonly string[]) =>
  zeroshiftWith({ ZEROSHIFT_PAYLOAD_KEYS_FILE: join(directory, name) }, directory, ...args).ended

test('commands and their own server run under payload keys, and show it to whoever has them', async () => {
  const ran = await withKeys('ours', 'run', 'small.yaml', '--json')
  expect(ran.code, ran.stderr).toBe(0)
  const { id } = answerOf(ran.stdout)

  const database = readFileSync(join(directory, '.zeroshift', 'temporal.db')).toString('latin1')
  expect(database).toContain('binary/encrypted')
  expect(database).not.toContain('learningRate')

  const status = await withKeys('ours', 'status', id)
  expect(status).toMatchObject({ code: 0 })
  expect(status.stdout).toContain('completed')

  const blind = await withKeys('theirs', 'status', id)
  expect(blind.code).toBe(2)
  expect(blind.stderr).toMatch(/encrypted with the key 'ours', which ZEROSHIFT_PAYLOAD_KEYS does not have/)
})
