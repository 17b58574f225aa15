import { describe, expect, test } from 'vitest'
import type { FeatureMaps } from '../../../experiment/records/feature-maps.ts'
import { mostPoints, pointsOf, squareAround } from '../../../report/charts/maps.ts'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { ckaFigure, drawnMapStages, mapModels, mapsRows } from '../../../report/sections/maps.ts'
import { candidate, sampleInput, withManifest, withoutStages, type Figures } from './fixtures.ts'

const figures: Figures = {
  maps: ({ fa }, gold) => ({
    layer: 'input of head',
    drawn: { forget: 3, retained: 3, test: 3 },
    kept: { value: 62.5 },
    explained: { value: 40 },
    layers: ['conv1', 'conv2', 'linear1', 'head'].map((name) => ({
      name,
      features: 8,
      cka: { value: 1 - Math.abs(fa - gold.fa) / 200 },
    })),
  }),
}

const maps: FeatureMaps = {
  layer: 'input of head',
  samples: (['forget', 'retained', 'test'] as const).flatMap((set, i) =>
    [0, 1, 2].map((j) => ({ set, index: 3 * i + j, label: i === 0 ? 3 : j })),
  ),
  points: {
    umap: Array.from({ length: 9 }, (_, i) => [i, -i] as const),
    pca: Array.from({ length: 9 }, (_, i) => [i % 3, i] as const),
  },
  cka: {
    layers: ['conv1', 'head'],
    goldLayers: ['conv1', 'head'],
    values: [
      [0.25, 0.5],
      [null, 1],
    ],
  },
}

/** A report whose blobs were all read. */
function drawn(options: Parameters<typeof sampleInput>[0] = {}): ReportInput {
  const input = sampleInput({ sections: { maps: {} }, figures, ...options })
  return { ...input, maps: Object.fromEntries(drawnMapStages(input).map(({ key }) => [key, maps])) }
}

const sectionOf = async (input: ReportInput) =>
  /<h2[^>]*>Feature maps[\s\S]*?<\/section>/
    .exec((await renderReport(input)).html)?.[0]
    .replace(/\s+/g, ' ') ?? ''

describe('the section of maps', () => {
  test('is absent, and has no place in the files, without the section of the config', async () => {
    const { html, markdown, json } = await renderReport(sampleInput())
    expect(html + markdown).not.toContain('Feature maps')
    expect((JSON.parse(json) as { computed: object }).computed).not.toHaveProperty('maps')
  })

  test('has charts of every model in the same square, gold first, and tables of the figures', async () => {
    const found = await sectionOf(drawn())
    expect(found.match(/<svg/g)).toHaveLength(18)
    const titles = [...found.matchAll(/<figcaption>([^<]+?) ?(?:<small>|<\/figcaption>)/g)].map(
      ([, title]) => title,
    )
    expect(titles.slice(0, 6)).toEqual([
      'retrain',
      'original',
      'finetune',
      'rfa',
      'rfa mean',
      'retrain, seed 2',
    ])
    expect(found).toContain('3 samples of <var>D</var><sub>f</sub>')
    expect(found).toMatch(/<th scope="row">original<\/th> <td>62\.50<\/td> ?<td>40\.00<\/td>/)
    expect(found).toMatch(/<th scope="row">original<\/th> <td>0\.500<\/td>/)
    // Nine points in each map, and three cells with a figure in each matrix.
    const [chart = ''] = /<svg[\s\S]*?<\/svg>/.exec(found) ?? []
    expect(chart.match(/<path transform/g)).toHaveLength(9)
    expect(chart.match(/stroke="var\(--ink\)"/g)).toHaveLength(3)
    const { markdown } = await renderReport(drawn())
    expect(markdown).toMatch(/\| original \| 62\.50 \| 40\.00 \|/)
  })

  test('names the models whose maps the store lacks, and those beyond the most', async () => {
    const input = drawn()
    const [first, ...others] = Object.entries(input.maps ?? {})
    expect(first).toBeDefined()
    const found = await sectionOf({ ...input, maps: Object.fromEntries(others) })
    expect(found).toContain('Not drawn, because the store lacks the maps: retrain.')
    const many = Array.from({ length: 9 }, (_, i) => ({
      method: 'finetune',
      label: `tuned ${i}`,
      epochs: i + 1,
    }))
    const methods = [{ method: 'original' }, { method: 'retrain' }, ...many]
    const models = Object.fromEntries(
      many.map(({ label }) => [label, { ra: 1, fa: 1, ta: 1, mia: 1, seconds: 1 }]),
    )
    const whole = await sectionOf(drawn({ methods, models }))
    expect(whole).toContain(
      'The first 8 models are drawn. The others are: tuned 6, tuned 7, tuned 8, retrain, seed 2.',
    )
    expect(whole.match(/<svg/g)).toHaveLength(24)
  })

  test('has the reason of a model that failed, and the mean of several seeds', () => {
    const input = drawn()
    const { maps: stage } = candidate(input, 'rfa')
    const broken = withoutStages(input, [stage], [{ title: 'maps rfa', reason: 'no memory' }])
    const row = mapsRows(broken)?.find(({ label }) => label === 'rfa')
    expect(row?.seeds).toEqual([{ missing: 'maps rfa failed: no memory' }])
    const seeds = [{ original: { fa: 100 } }, { original: { fa: 80 } }]
    const original = mapsRows(drawn({ seeds }))?.find(({ label }) => label === 'original')
    expect(original && ckaFigure(original, 'head')).toMatchObject({ value: 0.55, n: 2 })
    // The maps of the first seed alone are drawn.
    expect(mapModels(drawn({ seeds })).map(({ label, isGold }) => [label, isGold])).toEqual([
      ['retrain', true],
      ['original', false],
      ['finetune', false],
      ['rfa', false],
      ['rfa mean', false],
      ['retrain, gold 2', false],
    ])
  })

  test('takes a figure that is missing with its reason', async () => {
    const input = drawn()
    const { maps: stage } = candidate(input, 'finetune')
    const changed = withManifest(input, stage ?? expect.fail('maps are asked'), (manifest) => ({
      ...manifest,
      metrics: { ...manifest.metrics, kept: { missing: 'the features are not finite' } },
    }))
    expect(await sectionOf(changed)).toContain('the features are not finite')
  })
})

describe('the points of a chart', () => {
  const samples = Array.from({ length: 2 * mostPoints }, (_, index) => ({
    set: index % 4 === 0 ? ('forget' as const) : ('test' as const),
    index,
    label: index % 10,
  }))
  const places = samples.map(({ index }) => [index, 1] as const)

  test('are the first of each set, coloured by class if there are few classes', () => {
    const found = pointsOf(samples, places, 10)
    expect(found.filter(({ set }) => set === 'forget')).toHaveLength(mostPoints / 2)
    expect(found.filter(({ set }) => set === 'test').map(({ x }) => x)).toEqual(
      samples
        .filter(({ set }) => set === 'test')
        .slice(0, mostPoints)
        .map(({ index }) => index),
    )
    expect(found[7]?.colour).toBe('series-7')
    expect(pointsOf(samples, places, 100)[7]?.colour).toBe('test')
  })

  test('lie in a square with room around them', () => {
    const { x, y } = squareAround(pointsOf(samples, places, 10))
    expect(x[1] - x[0]).toBeCloseTo(y[1] - y[0], 9)
    expect(x[0]).toBeLessThan(0)
    expect((y[0] + y[1]) / 2).toBeCloseTo(1, 9)
  })
})
