import { describe, expect, test } from 'vitest'
import { renderReport } from '../../../report/report.ts'
import { costFigure, costRows } from '../../../report/sections/cost.ts'
import { candidate, sampleInput, withManifest, withoutStages } from './fixtures.ts'

const rowOf = (input: ReturnType<typeof sampleInput>, label: string) =>
  costRows(input).find((row) => row.label === label) ?? expect.fail(`there is no row ${label}`)

describe('the cost of a model', () => {
  test('is given in steps, in samples and in seconds, and in samples beside retraining', async () => {
    const input = sampleInput()
    const figures = (label: string) =>
      (['steps', 'samples', 'relative', 'seconds'] as const).map((name) =>
        costFigure(rowOf(input, label), name),
      )
    expect(figures('original')).toEqual([0, 0, 0, 0].map((value) => ({ value })))
    // Batches of 64.
    expect(figures('retrain')).toEqual([90, 5760, 1, 20].map((value) => ({ value })))
    expect(figures('retrain, seed 2')).toEqual([90, 5760, 1, 19].map((value) => ({ value })))
    expect(figures('finetune')).toEqual([20, 1280, 1280 / 5760, 1.5].map((value) => ({ value })))
    // 192 retained samples and 64 of the forget set.
    expect(figures('rfa')).toEqual([20, 5120, 5120 / 5760, 4].map((value) => ({ value })))
    const { html, markdown } = await renderReport(input)
    expect(markdown).toMatch(/\| finetune \| 20 \| 1,280 \| 0\.222 \| 1\.50 s \|/)
    expect(html).toMatch(/<h2[^>]*>Cost<\/h2>/)
  })

  test('is marked where the machine did other work', async () => {
    const input = sampleInput()
    const { unlearn } = candidate(input, 'finetune')
    if (!unlearn) throw new Error('finetune unlearns')
    const busy = withManifest(input, unlearn, (manifest) => ({
      ...manifest,
      clock: { ...manifest.clock, otherWork: { stages: 1, processes: 0 } },
    }))
    const { markdown } = await renderReport(busy)
    expect(markdown).toMatch(/\| finetune \| 20 \| 1,280 \| 0\.222 \| 1\.50 s § \|/)
    const section = markdown.slice(markdown.indexOf('## Cost'))
    expect(section).toContain('The machine did other work while this was timed')
  })

  test('depends on the size of the sets where a set is smaller than a batch', () => {
    const input = sampleInput({
      methods: [{ method: 'gradient-ascent', epochs: 1, batchSize: 512 }],
    })
    expect(costFigure(rowOf(input, 'gradient-ascent'), 'samples')).toEqual({ value: 20 * 126 })
  })

  test('has the samples as missing, and the rest not, where a method does not record enough', () => {
    const input = sampleInput({ methods: [{ method: 'amun' }] })
    const row = rowOf(input, 'amun')
    expect(costFigure(row, 'steps')).toEqual({ value: 20 })
    for (const name of ['samples', 'relative'] as const)
      expect(costFigure(row, name)).toEqual({
        missing: 'the steps of its search for adversarial examples are not recorded',
      })
  })

  test('of several seeds is their mean, each beside the gold model of its seed', () => {
    const seeds = [{ retrain: { seconds: 10 } }, { finetune: { seconds: 2.5 } }]
    const row = rowOf(sampleInput({ seeds }), 'finetune')
    expect(costFigure(row, 'seconds')).toMatchObject({ value: 2, n: 2 })
    expect(costFigure(row, 'relative')).toMatchObject({ value: 1280 / 5760, n: 2 })
  })

  test('of a model that is not there says what became of it', () => {
    const input = sampleInput()
    const { unlearn } = candidate(input, 'rfa')
    const broken = withoutStages(input, [unlearn], [{ title: 'unlearn by rfa', reason: 'it diverged' }])
    expect(costFigure(rowOf(broken, 'rfa'), 'samples')).toEqual({
      missing: 'unlearn by rfa failed: it diverged',
    })
  })

  test('is beside what was computed, and not in its digest', async () => {
    const { json } = await renderReport(sampleInput())
    const { computed, clock } = JSON.parse(json) as { computed: object; clock: { cost: object[] } }
    expect(computed).not.toHaveProperty('cost')
    expect(clock.cost).toHaveLength(6)
  })
})
