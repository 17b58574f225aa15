import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { renderTable } from '../../../report/table.ts'
import { results } from '../../../report/results.ts'
import type { ResultRow } from '../../../experiment/records/results.ts'
import { candidate, sampleInput, withoutStages } from './fixtures.ts'

const plain = (rows: readonly ResultRow[]) => renderTable(rows, { colour: false })
const rows = results(sampleInput())

describe('the terminal table', () => {
  test('has a line for each row with its figures, and says that nothing was tested', () => {
    const lines = plain(rows).split('\n')
    expect(lines[0]?.trim()).toMatch(/^RA +UA +TA +MIA +Avg\.gap +w\/o MIA +AD D_f +RTE$/)
    expect(lines.find((line) => line.startsWith('rfa '))).toMatch(
      /^rfa +99\.82 +100\.00 +96\.25 +100\.00 +0\.25 +0\.34 +0 +0\.200$/,
    )
    expect(lines.join(' ')).toContain(
      'With one seed no method is tested against gold; with several (seeds: 8)',
    )
    expect(lines.some((line) => line.startsWith('floor: retrain, seed 2 '))).toBe(true)
  })

  test('is the same text with colours and without, and without has no escapes', () => {
    const coloured = renderTable(rows, { colour: true })
    expect(stripVTControlCharacters(coloured)).toBe(plain(rows))
    expect(coloured).not.toBe(plain(rows))
  })

  test('fits 100 columns, whatever the labels, figures and reasons', () => {
    const label = 'a label of sixty-four characters which is as long as a config may'
    const tiny = { value: 1.234e-9 }
    const odd = rows.map((row) => ({
      ...row,
      label: row.method === 'rfa' ? label : row.label,
      metrics: {
        ...row.metrics,
        gapWithoutMia: tiny,
        activationForget: tiny,
        rte: tiny,
        mia: { missing: 'no reason is too long '.repeat(20) + 'x'.repeat(250) },
      },
    }))
    for (const line of plain(odd).split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    expect(plain(odd)).toContain('1.23 × 10⁻⁹')
    expect(plain(odd).replace(/\s+/g, ' ')).toContain('no reason is too long no reason')
  })

  test.each([
    ['a\nb', String.raw`a\nb`],
    ['a\x1b[2Jb', String.raw`a\x1b[2Jb`],
    ['a\u202eb\r', String.raw`a\u202eb\r`],
    ['\x1b[31m'.repeat(20), String.raw`\x1b[31m`.repeat(20)],
  ])('writes out what a label %j would do to a terminal, and keeps its columns', (label, shown) => {
    const odd = rows.map((row) =>
      row.method === 'rfa'
        ? { ...row, label, metrics: { ...row.metrics, mia: { missing: `see\x1b[2J${label}` } } }
        : row,
    )
    const text = plain(odd)
    for (const control of ['\x1b', '\r', '\u202e']) expect(text).not.toContain(control)
    expect(text.replaceAll(/\s/g, '')).toContain(`n/ain${shown}:see`.replaceAll(/\s/g, ''))
    const lines = text.split('\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100)
    expect(lines.find((line) => line.includes(' n/a '))?.length).toBe(lines[0]?.length)
  })

  test('says why a figure is missing', () => {
    const all = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(all, 'finetune')
    const failed = [{ title: 'unlearn by finetune', reason: 'the loss is not finite' }]
    const text = plain(results(withoutStages(all, [unlearn, evaluate, attack, compare], failed)))
    expect(text).toMatch(/^finetune( +n\/a){8}$/m)
    expect(text).toContain('n/a in finetune: unlearn by finetune failed: the loss is not finite')
  })
})
