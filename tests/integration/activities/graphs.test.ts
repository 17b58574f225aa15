import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../../support/fixtures.ts'

const PATIENCE = 900_000

test(
  'every stage kind and every method computes the same bytes with graphs and without',
  ({ directory }) => {
    const golden = (setting: string): unknown => {
      const out = join(directory, `${setting}.json`)
      execFileSync(process.execPath, ['--import', 'tsx', 'tests/golden/run.ts', out], {
        env: { ...process.env, ZEROSHIFT_GRAPHS: setting },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return JSON.parse(readFileSync(out, 'utf8'))
    }
    expect(golden('always')).toEqual(golden('never'))
  },
  PATIENCE,
)
