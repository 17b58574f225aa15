import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { criteria, families } from '../../../../report/judgement/criteria.ts'
import { deltaOf } from '../../../../report/judgement/words.ts'

test('the page about verdicts has every criterion as it is', () => {
  const page = readFileSync(new URL('../../../../docs/concepts/verdicts.md', import.meta.url), 'utf8')
  const table = page.split('\n\n').find((block) => block.startsWith('| criterion ')) ?? ''
  const rows = table
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .slice(2)
  expect(rows.map(([, label, family, about, delta]) => [label, family, about, delta])).toEqual(
    criteria.map((criterion) => [
      criterion.label,
      `${families[criterion.family]}${criterion.measures === 'harm' ? ' (harm)' : ''}`,
      criterion.about,
      deltaOf(criterion).replace('δ = ', ''),
    ]),
  )
})
