import { expect, test } from 'vitest'
import type { AccuracyPoint } from '../../../experiment/records/measured.ts'
import type { ResidualNorms } from '../../../experiment/stages/unlearn.ts'
import type { Block } from '../../../report/blocks.ts'
import { meanAccuracies, meanNorms } from '../../../report/over-seeds.ts'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { accuracyByEpoch } from '../../../report/sections/accuracy-by-epoch.ts'
import { residualNorms } from '../../../report/sections/residual-norms.ts'
import { accuracy, measured, norms, steps } from './curves-fixture.ts'
import { candidate, sampleInput, withoutStages } from './fixtures.ts'

const textOf = (blocks: readonly Block[] | undefined) => JSON.stringify(blocks)
const chartsOf = (blocks: readonly Block[] | undefined) =>
  (blocks ?? []).flatMap((block) => (block.kind === 'charts' ? block.charts : []))
const valuesOf = (blocks: readonly Block[] | undefined) =>
  chartsOf(blocks).map(({ spec }) => (spec.data && 'values' in spec.data ? spec.data.values : []))

async function computedOf(input: ReportInput) {
  const { json } = await renderReport(input)
  return (JSON.parse(json) as { computed: Record<string, unknown> }).computed
}

test('nothing is drawn and report.json has no key unless it is asked for', async () => {
  const input = sampleInput()
  expect(accuracyByEpoch.blocks(input)).toBeUndefined()
  expect(residualNorms.blocks(input)).toBeUndefined()
  const computed = await computedOf(input)
  expect(Object.keys(computed)).not.toContain('accuracyByEpoch')
  expect(Object.keys(computed)).not.toContain('residualNorms')
})

test('report.json has every point, and the pages have a chart of each', async () => {
  const input = sampleInput(measured)
  const computed = await computedOf(input)
  expect(computed.accuracyByEpoch).toEqual(
    ['original', 'gold', 'gold, seed 2'].map((label) => ({ label, seeds: [{ points: accuracy }] })),
  )
  expect(computed.residualNorms).toEqual([{ label: 'rfa', seeds: [norms] }])
  const { html, markdown } = await renderReport(input)
  expect(html).toContain(
    'original: 100.00% on training samples and 90.75% on validation samples after 2.5 epochs',
  )
  expect(html).toContain(
    'the norms of the 2 layers are 0.0625 to 0.125 on retained and 0.250 to 1.50 on forget',
  )
  expect(html).not.toMatch(/NaN|Infinity|undefined/)
  expect(markdown).not.toContain('Accuracy by epoch')
})

test('the accuracies are drawn as lines, without those that are missing', () => {
  const blocks = accuracyByEpoch.blocks(sampleInput(measured))
  const [values] = valuesOf(blocks)
  const of = (model: string) =>
    (values as readonly { model: string }[]).filter((value) => value.model === model)
  expect(of('gold')).toEqual([
    { model: 'gold', samples: 'training', epoch: 1, accuracy: 71.5 },
    { model: 'gold', samples: 'validation', epoch: 1, accuracy: 64 },
    { model: 'gold', samples: 'training', epoch: 2, accuracy: 98.25 },
    { model: 'gold', samples: 'training', epoch: 2.5, accuracy: 100 },
    { model: 'gold', samples: 'validation', epoch: 2.5, accuracy: 90.75 },
  ])
  expect(of('original')).toHaveLength(5)
  expect(textOf(blocks)).toContain('on at most 200 samples of each set')
  expect(textOf(blocks)).toContain('of the classes that the model is trained on')
})

test('gold may be measured alone, by a training of its own', () => {
  const training = { epochs: 2.5, batchSize: 64 }
  const own = { gold: { models: 1, training: { ...training, accuracy: {} } }, training }
  const blocks = accuracyByEpoch.blocks(sampleInput({ ...measured, sections: own }))
  const models = (valuesOf(blocks)[0] as readonly { model: string }[]).map(({ model }) => model)
  expect(new Set(models)).toEqual(new Set(['gold']))
  // Its colour is that of gold among the curves of the losses.
  expect(JSON.stringify(chartsOf(blocks)[0]?.spec)).toContain('"range":["var(--series-1)"]')
})

test('a model that is not trained yet is named, and the others are drawn', () => {
  const all = sampleInput(measured)
  const [gold] = all.run.plan.gold
  const blocks = accuracyByEpoch.blocks(withoutStages(all, [gold], []))
  expect(textOf(blocks)).toContain('Missing: gold: the stage \\"train gold\\" did not finish.')
  expect(
    accuracyByEpoch.blocks(withoutStages(all, [all.run.plan.original, ...all.run.plan.gold], [])),
  ).toBeUndefined()
  const { unlearn } = candidate(all, 'rfa')
  expect(residualNorms.blocks(withoutStages(all, [unlearn], []))).toBeUndefined()
})

test('cells are as strong as the root of their share of the greatest norm', () => {
  const [values] = valuesOf(residualNorms.blocks(sampleInput(measured)))
  const cells = values as readonly { set: string; layer: string; step: number; norm: number; shade: number }[]
  expect(cells).toHaveLength(8)
  const at = (set: string, layer: string, step: number) =>
    cells.find((cell) => cell.set === set && cell.layer === layer && cell.step === step)
  expect(at('forget', 'head', 20)).toMatchObject({ norm: 1.5, shade: 1 })
  expect(at('retained', 'conv1', 20)?.shade).toBeCloseTo(0.04 + 0.96 * Math.sqrt(0.0625 / 1.5), 10)
  expect(at('retained', 'conv1', 0)?.shade).toBe(0.04)
})

test('of many steps at most 60 are drawn, the last one among them', () => {
  const points = Array.from({ length: 131 }, (_, i) => ({ step: 10 * i, retained: [0, 0], forget: [i, 1] }))
  const many = { ...measured.figures, unlearn: () => ({ ...steps, norms: { ...norms, points } }) }
  const blocks = residualNorms.blocks(sampleInput({ ...measured, figures: many }))
  const cells = valuesOf(blocks)[0] as readonly { step: number }[]
  const drawn = [...new Set(cells.map(({ step }) => step))]
  expect(drawn).toHaveLength(44)
  expect(drawn.at(-1)).toBe(1300)
  expect(textOf(blocks)).toContain('At most 60 of the steps are drawn.')
})

test('curves over seeds are means at each point', () => {
  const point = (training: AccuracyPoint['training'], validation = 50): AccuracyPoint => ({
    ...{ step: 9, epoch: 1, training },
    validation: { value: validation },
  })
  expect(meanAccuracies([[point({ value: 80 })], [point({ value: 90 }, 70)]])).toEqual([
    point({ value: 85 }, 60),
  ])
  const missing = { missing: 'the logits are not finite' }
  expect(meanAccuracies([[point({ value: 80 })], [point(missing)]])).toEqual([point({ value: 80 })])
  expect(meanAccuracies([[point(missing)], [point(missing)]])).toEqual([point(missing)])

  // The second seed ended before step 20.
  const other: ResidualNorms = {
    layers: ['conv1', 'head'],
    points: [
      { step: 0, retained: [2, 4], forget: [6, 8] },
      { step: 15, retained: [1, 1], forget: [1, 1] },
    ],
  }
  expect(meanNorms([norms, other])?.points).toEqual([{ step: 0, retained: [1, 2], forget: [3, 4] }])
  expect(meanNorms([norms])).toEqual(norms)
  expect(meanNorms([])).toBeUndefined()
})
