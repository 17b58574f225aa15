import { expect, test } from 'vitest'
import { encodeMaps } from '../../../../activities/stages/maps-blob.ts'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import type { FeatureMaps, Point } from '../../../../experiment/records/feature-maps.ts'
import { mapModels } from '../../../../report/sections/maps.ts'
import type { Features } from '../../../../ui/contract.ts'
import { answerCaches } from '../../../../ui/server/answers/context.ts'
import { featuresAnswer } from '../../../../ui/server/answers/features.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { sampleInput, type Figures } from '../../report/fixtures.ts'

const figures: Figures = {
  maps: () => ({
    layer: 'input of head',
    drawn: { forget: 1, retained: 1, test: 1 },
    kept: { value: 50 },
    explained: { value: 40 },
    layers: [],
  }),
}
const points: { umap: Point[]; pca: Point[] } = {
  umap: [
    [0, 1],
    [2, 3],
    [4, 5],
  ],
  pca: [
    [0, 0],
    [1, 1],
    [2, 2],
  ],
}
const cka = { layers: ['head'], goldLayers: ['head'], values: [[0.5]] }
const maps: FeatureMaps = {
  layer: 'input of head',
  samples: [
    { set: 'forget', index: 4, label: 3 },
    { set: 'retained', index: 5, label: 0 },
    { set: 'test', index: 1797, label: 1 },
  ],
  points,
  cka,
}

/** A store with the record of a run, and the maps of its first `count` models. */
async function answered(count: number, asked = true): Promise<Features> {
  const input = sampleInput(asked ? { sections: { maps: {} }, figures } : {})
  const artifacts = openArtifacts(fileDirectory())
  await artifacts.putRun({ ...input.run, failed: [{ title: 'maps rfa', reason: 'no memory' }] })
  for (const { stage } of mapModels(input).slice(0, count)) {
    const blob = await artifacts.putBlob(encodeMaps(maps))
    const manifest = input.manifests[stage.key]
    if (!manifest) throw new Error(`no manifest of ${stage.title}`)
    await artifacts.commit({ ...manifest, outputs: { maps: blob } })
  }
  const context = {
    artifacts,
    snapshot: () => Promise.resolve({ progress: new Map() }),
    ...answerCaches(),
  }
  const answer = await featuresAnswer(context, { run: input.run.id })
  if (!('json' in answer)) throw new Error('the answer is no JSON')
  return answer.json as Features
}

test('a run without maps says which lines of the config add them', async () => {
  expect(await answered(0, false)).toEqual({
    missing: 'This run draws no maps of features.',
    remedy: expect.stringContaining('`maps: {}`') as string,
  })
})

test('a run whose maps are not there yet says so', async () => {
  expect(await answered(0)).toMatchObject({
    missing: expect.stringContaining('No map is there yet') as string,
  })
})

test('a run has the maps that are there, gold first, and the reasons of the others', async () => {
  const found = await answered(2)
  if ('missing' in found) throw new Error(found.missing)
  expect(found.models.map(({ label, isGold }) => [label, isGold])).toEqual([
    ['retrain', true],
    ['original', false],
  ])
  expect(found.models[1]?.umap).toEqual(points.umap)
  expect(found.samples).toEqual([
    { set: 'forget', number: 4, label: 3 },
    { set: 'retained', number: 5, label: 0 },
    // All 1797 digits are training files, so that this is the first sample of a test file.
    { set: 'test', number: 0, label: 1 },
  ])
  expect(found.cka).toEqual(['retrain', 'original'].map((label) => ({ label, ...cka })))
  expect(found.absent.map(({ label }) => label)).toEqual(['finetune', 'rfa', 'rfa mean', 'retrain, seed 2'])
  expect(found.absent[1]?.reason).toBe('maps rfa failed: no memory')
})
