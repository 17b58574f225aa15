import { expect, test, vi } from 'vitest'
import { results } from '../../../report/results.ts'
import { renderReport } from '../../../report/report.ts'
import { renderTable } from '../../../report/table.ts'
import { sampleInput } from './fixtures.ts'

const loaded = vi.hoisted(() => ({ vega: false }))
vi.mock('vega', async (original) => {
  loaded.vega = true
  return original()
})

test('results and table come without loading vega, which takes long; drawing the page loads it', async () => {
  const input = sampleInput()
  expect(renderTable(results(input), { colour: false })).toContain('rfa')
  expect(loaded.vega).toBe(false)
  await renderReport(input)
  expect(loaded.vega).toBe(true)
})
