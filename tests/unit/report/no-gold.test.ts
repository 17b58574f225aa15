import { describe, expect, test } from 'vitest'
import { NO_GOLD } from '../../../experiment/records/no-gold.ts'
import { renderReport } from '../../../report/report.ts'
import { resultsBySeed } from '../../../report/results.ts'
import { renderTable } from '../../../report/table.ts'
import { sampleInput } from './fixtures.ts'

/** Reports of experiments without a gold model. */

const methods = [{ method: 'original' }, { method: 'finetune', epochs: 1 }]
const missing = { missing: NO_GOLD }
const compared = {
  compare: () => ({
    ...{ ra: { value: 99 }, ta: { value: 95 }, ua: { value: 40 }, mia: { value: 30 } },
    ...{ averageGap: missing, tow: missing, jsDivergence: missing, zrf: { value: 0.5 } },
    activationDistance: { forget: missing, retained: missing },
    validationGap: { missing: 'no samples are set apart for validation (data.validation)' },
  }),
}
const inputOf = (options: Partial<Parameters<typeof sampleInput>[0]> = {}) =>
  sampleInput({ gold: 0, methods, figures: compared, ...options })

describe('a report without gold', () => {
  test('has every figure that needs none, and the reason for the others', () => {
    const [rows] = resultsBySeed(inputOf())
    const finetune = rows?.find(({ label }) => label === 'finetune')?.metrics
    expect(finetune).toMatchObject({ ra: { value: 99 }, mia: { value: 30 }, zrf: { value: 0.5 } })
    for (const name of [
      'averageGap',
      'gapWithoutMia',
      'tow',
      'activationForget',
      'jsDivergence',
      'rte',
    ] as const)
      expect(finetune?.[name]).toEqual(missing)
  })

  test.each([1, 3])('is rendered with %i seeds, without a row or a check of gold', async (seeds) => {
    const several = seeds === 1 ? {} : { seeds: Array.from({ length: seeds }, () => ({})) }
    const { html, markdown, json, results } = await renderReport(
      inputOf({
        ...several,
        sections: { relearn: {}, probe: { layers: ['head'] }, features: {}, agreement: {} },
      }),
    )
    expect(html).toContain('There is no gold model (gold: none)')
    expect(html).toContain('Gold</dt>')
    expect(html).not.toContain('Gold was not checked')
    expect(markdown).toContain(NO_GOLD)
    const { computed } = JSON.parse(json) as {
      computed: { results: { label: string }[]; judgement: { impossible: string }; floor: object }
    }
    expect(computed.results.map(({ label }) => label)).toEqual(['original', 'finetune'])
    expect(computed.judgement.impossible).toBe(NO_GOLD)
    expect(computed.floor).toHaveProperty('missing')
    expect(renderTable(results, { colour: false })).toContain('There is no gold model')
  })
})
