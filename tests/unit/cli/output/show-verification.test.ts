import { expect, test } from 'vitest'
import { showVerification, statusOf } from '../../../../cli/output/show-verification.ts'
import type { Verdict, Verification } from '../../../../report/verification.ts'

const verification = (verdict: Verdict): Verification => ({
  verdict,
  stages: [],
  figures: [],
  rows: [],
  floor: { recorded: { value: 100 }, here: { value: 0.25 }, same: false, within: false },
  environment: [{ name: 'processor', recorded: ['one'], here: ['other'], decides: true }],
})

function shown(verdict: Verdict): string {
  const lines: string[] = []
  const output = { printLine: (line: string) => void lines.push(line), out: process.stderr }
  showVerification('some-run', verification(verdict), output)
  return lines.join('\n')
}

test('only the same bytes are a verification', () => {
  const verdicts: readonly Verdict[] = [
    'same',
    'within-floor',
    'beyond-floor',
    'unjudged',
    'differs',
    'contradictory',
  ]
  expect(verdicts.map((verdict) => statusOf({ verdict }))).toEqual([
    'verified',
    'within-floor',
    ...Array<string>(4).fill('different'),
  ])
  expect(shown('within-floor')).toContain('This is no verification')
})

test('a floor that the report makes up is named beside the one that was computed', () => {
  const text = shown('beyond-floor')
  expect(text).toMatch(/as computed here: 0\.25 points\.\nThe report gives another floor: 100\.00 points\./)
  expect(text).toContain('The reported floor is another one than that computed here.')
})
