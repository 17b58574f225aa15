import { beforeAll, describe, expect, test } from 'vitest'
import { mapsOf } from '../../../../activities/feature-maps.ts'
import { renderRun } from '../../../../activities/report.ts'
import { readMaps } from '../../../../activities/stages/maps-blob.ts'
import type { Artifacts } from '../../../../artifacts/artifacts.ts'
import type { FeatureMaps } from '../../../../experiment/records/feature-maps.ts'
import type { Plan } from '../../../../experiment/plan/types.ts'
import { runId, type RunRecord } from '../../../../experiment/records/run.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'

/** A whole class is forgotten, which gold knows nothing of. */
const spec = specSchema.parse({
  name: 'maps',
  data: { name: 'digits', test: 0.5 },
  split: { kind: 'class', classes: [3] },
  model: { name: 'mlp', hidden: [24] },
  training: { epochs: 15, batchSize: 64, optimizer: { name: 'adam', learningRate: 5e-3 } },
  gold: { models: 1 },
  maps: { samples: 60 },
  methods: [{ method: 'original' }, { method: 'retrain' }],
})

let planned: Plan
let artifacts: Artifacts
let manifestOf: ComputedPlan['manifestOf']
beforeAll(async () => {
  ;({ plan: planned, artifacts, manifestOf } = await computePlan(spec))
}, 120_000)

const stageOf = (label: string) => planned.candidates.find((one) => one.label === label)?.maps
const mapsOfRow = async (label: string) => readMaps(artifacts, await manifestOf(stageOf(label)))

describe('the stage maps', () => {
  test('places the forgotten class apart in the original, and less so in gold', async () => {
    // The mean share of the ten nearest samples in the map that are of the class as well.
    const purity = ({ samples, points }: FeatureMaps) => {
      if ('missing' in points) throw new Error(points.missing)
      const { umap } = points
      const own = samples.flatMap(({ set }, i) => (set === 'forget' ? [i] : []))
      const shares = own.map((i) => {
        const [x, y] = umap[i] ?? [NaN, NaN]
        const away = (j: number) => Math.hypot((umap[j]?.[0] ?? NaN) - x, (umap[j]?.[1] ?? NaN) - y)
        const near = samples.map((_, j) => j).sort((a, b) => away(a) - away(b))
        return near.slice(1, 11).filter((j) => samples[j]?.label === 3).length / 10
      })
      return shares.reduce((sum, share) => sum + share, 0) / shares.length
    }
    const [original, gold] = [purity(await mapsOfRow('original')), purity(await mapsOfRow('retrain'))]
    expect(original).toBeGreaterThan(0.9)
    expect(gold).toBeLessThan(original)
  })

  test('draws the same samples for all models, with those of the forgotten class in the test set', async () => {
    const [original, gold] = [await mapsOfRow('original'), await mapsOfRow('retrain')]
    expect(original.samples).toEqual(gold.samples)
    expect(original.samples.some(({ set, label }) => set === 'test' && label === 3)).toBe(true)
    expect(
      original.samples.every(({ set, label }) => (set === 'forget') === (label === 3) || set === 'test'),
    ).toBe(true)
    expect((await manifestOf(stageOf('original'))).metrics.drawn).toEqual({
      forget: 60,
      retained: 60,
      test: 60,
    })
  })

  test('finds gold alike to itself in every layer, and the original less', async () => {
    const ckaOf = async (label: string) => (await manifestOf(stageOf(label))).metrics.layers
    for (const { cka } of await ckaOf('retrain')) expect('value' in cka && cka.value).toBeCloseTo(1, 4)
    for (const { cka } of await ckaOf('original')) expect('value' in cka && cka.value).toBeLessThan(0.99)
  })
})

test('the report of the run draws the maps, and says which of them the store lacks', async () => {
  const { facts } = (await manifestOf(planned.dataset)).params
  const run: RunRecord = {
    id: runId(spec.name, planned),
    spec,
    facts,
    plan: planned,
    command: { config: 'maps.yaml', overrides: [] },
  }
  const section = (html: string) => /<h2[^>]*>Feature maps[\s\S]*?<\/section>/.exec(html)?.[0] ?? ''
  const { files, digest } = await renderRun(artifacts, run, [])
  // UMAP, PCA and CKA of two models.
  expect(section(files['index.html']).match(/<svg/g)).toHaveLength(6)
  expect(section(files['index.html'])).not.toContain('the store lacks')

  const original = await manifestOf(stageOf('original'))
  const blob = original.outputs.maps ?? expect.fail('there is no blob')
  await artifacts.deleteBlob(blob)
  const input = { manifests: { [original.key]: original } }
  expect(await mapsOf(artifacts, input, [stageOf('original') ?? expect.fail('there is no stage')])).toEqual(
    {},
  )
  const after = await renderRun(artifacts, run, [])
  expect(section(after.files['index.html']).match(/<svg/g)).toHaveLength(3)
  expect(section(after.files['index.html'])).toContain(
    'Not drawn, because the store lacks the maps: original.',
  )
  expect(after.digest).toBe(digest)
})
