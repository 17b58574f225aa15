import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { secretOf } from '../../../common/secret.ts'
import { testDirectory } from '../../support/directories.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})
const file = (text: string) => {
  writeFileSync(join(directory, 'secret'), text)
  return join(directory, 'secret')
}

test('a secret is in the environment, or in the file that the environment names', () => {
  expect(secretOf('A', {})).toBeUndefined()
  expect(secretOf('A', { A: '' })).toBeUndefined()
  expect(secretOf('A', { A: 'word' })).toBe('word')
  expect(secretOf('A', { A_FILE: file('word\n') })).toBe('word')
})

test.each([
  ['both are set', (): object => ({ A: 'w0rd', A_FILE: file('w0rds') }), /A and A_FILE are both set/],
  [
    'the file is not there',
    () => ({ A_FILE: join(directory, 'none') }),
    /A_FILE names .*none, which is missing/,
  ],
  ['the file is empty', () => ({ A_FILE: file(' \n') }), /which is empty/],
])('where %s, that is said, and no secret is shown', (_, env, message) => {
  const read = () => secretOf('A', env() as NodeJS.ProcessEnv)
  expect(read).toThrow(UserError)
  expect(read).toThrow(message)
  expect(read).not.toThrow(/w0rd/)
})
