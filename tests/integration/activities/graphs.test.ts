import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const PATIENCE = 900_000

test(
  'every stage kind and every method computes the same bytes with graphs and without',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'zeroshift-graphs-'))
    const golden = (setting: string): unknown => {
      const out = join(directory, `${setting}.json`)
      execFileSync(process.execPath, ['--import', 'tsx', 'tests/golden/run.ts', out], {
        env: { ...process.env, ZEROSHIFT_GRAPHS: setting },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return JSON.parse(readFileSync(out, 'utf8'))
    }
    try {
      expect(golden('always')).toEqual(golden('never'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
  PATIENCE,
)
