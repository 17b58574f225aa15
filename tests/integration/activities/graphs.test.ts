import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { test } from '../../support/fixtures.ts'

const PATIENCE = 900_000

test(
  'every stage kind and every method computes the same bytes with graphs and without',
  async ({ directory }) => {
    const golden = async (setting: string): Promise<unknown> => {
      const out = join(directory, `${setting}.json`)
      await promisify(execFile)(process.execPath, ['--import', 'tsx', 'tests/golden/run.ts', out], {
        env: { ...process.env, ZEROSHIFT_GRAPHS: setting },
      })
      return JSON.parse(readFileSync(out, 'utf8'))
    }
    const [always, never] = await Promise.all([golden('always'), golden('never')])
    expect(always).toEqual(never)
  },
  PATIENCE,
)
