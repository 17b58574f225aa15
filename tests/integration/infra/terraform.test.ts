import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { which } from '../../../infra/programs.mjs'
import { testDirectory } from '../../support/directories.ts'

const terraform = which('terraform', 'tofu')
const directory = fileURLToPath(new URL('../../../infra/terraform', import.meta.url))
const main = readFileSync(join(directory, 'main.tf'), 'utf8')

/** In a copy: `init` leaves files behind. undefined: the provider is nowhere near. */
function validated(): string | undefined {
  const copy = testDirectory()
  cpSync(directory, copy, { recursive: true })
  const run = (...args: readonly string[]) =>
    spawnSync(terraform ?? '', args, { cwd: copy, encoding: 'utf8', timeout: 90_000 })
  if (run('init', '-backend=false', '-input=false').status !== 0) return undefined
  const { stdout } = run('validate', '-json')
  return stdout
}

describe('infra/terraform', () => {
  test.skipIf(!terraform)(
    `is in Terraform's language and form${terraform ? '' : ' (skipped without terraform or tofu on PATH)'}`,
    () => {
      const { status, stdout, stderr } = spawnSync(terraform ?? '', ['fmt', '-check', '-diff', directory], {
        encoding: 'utf8',
      })
      expect(`${stdout}${status === 0 ? '' : stderr}`).toBe('')
    },
  )

  test('is what the AWS provider takes (skipped where the provider cannot be had)', ({ skip }) => {
    const found = terraform === undefined ? undefined : validated()
    if (found === undefined) skip()
    else expect(JSON.parse(found)).toMatchObject({ valid: true, error_count: 0 })
  })

  test('workers may do what the store asks of S3, and no more', () => {
    /** The permission that a call of the SDK needs. */
    const needs: Readonly<Record<string, string>> = {
      headObject: 's3:GetObject',
      getObject: 's3:GetObject',
      listObjectsV2: 's3:ListBucket',
      putObject: 's3:PutObject',
      deleteObject: 's3:DeleteObject',
      // A body in parts, which @aws-sdk/lib-storage takes back where it fails.
      upload: 's3:AbortMultipartUpload',
    }
    const store = readFileSync(new URL('../../../artifacts/store/s3-store.ts', import.meta.url), 'utf8')
    const calls = [...store.matchAll(/\bclient\s*\.(\w+)\(|\b(upload)\(client/g)].map(
      ([, method, upload]) => method ?? upload ?? '',
    )
    expect(new Set(calls)).toEqual(new Set(Object.keys(needs)))
    const worker = main.slice(
      main.indexOf('"aws_iam_policy_document" "worker"'),
      main.indexOf('resource "aws_iam_policy" "worker"'),
    )
    const granted = new Set([...worker.matchAll(/"(s3:\w+)"/g)].map(([, action = '']) => action))
    expect(granted).toEqual(new Set(Object.values(needs)))
    expect(worker).not.toMatch(/"(s3|kms|\*):?\*"/)
  })
})
