import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { sampleScoresOf } from '../../../../activities/sample-scores.ts'
import { samplesOf } from '../../../../activities/samples.ts'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { blobPath } from '../../../../artifacts/format/layout.ts'
import { manifestOf } from '../../../../report/input.ts'
import { imageAnswer } from '../../../../ui/server/answers/images.ts'
import {
  neighboursAnswer,
  sampleNumber,
  samplesAnswer,
  scoresAnswer,
} from '../../../../ui/server/answers/samples.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { answerContext, sampledRun, type SampledRun } from '../../../support/sampled-run.ts'

let sampled: SampledRun
beforeAll(async () => {
  sampled = await sampledRun()
})

test('the samples of a run are answered as JSON, computed once', async () => {
  const { artifacts, context, input, run } = sampled
  const [first, second] = await Promise.all([
    samplesAnswer(context, { run: run.id }),
    samplesAnswer(context, { run: run.id }),
  ])
  if (!('json' in first) || !('json' in second)) return expect.fail('the answer is no JSON')
  expect(first.json).toEqual(await samplesOf(artifacts, input))
  expect(second.json).toBe(first.json)
})

test('the scores of an attack are answered for the rows of the table, and other names are refused', async () => {
  const { artifacts, context, input, run } = sampled
  const answer = await scoresAnswer(context, { run: run.id, attack: 'loss' })
  if (!('json' in answer)) return expect.fail('the answer is no JSON')
  expect(answer.json).toEqual(await sampleScoresOf(artifacts, input, 'loss'))
  expect(await samplesOf(artifacts, input)).toMatchObject({
    attacks: ['correctness', 'confidence', 'entropy', 'modified-entropy', 'loss'],
  })
  expect(await scoresAnswer(context, { run: run.id, attack: 'lira' })).toMatchObject({
    json: {
      models: [],
      missing: [{ label: 'gold', reason: 'the model was not attacked this way' }, {}, {}, {}],
    },
  })
  for (const attack of ['', 'Loss', 'toString'])
    await expect(scoresAnswer(context, { run: run.id, attack })).rejects.toMatchObject({ status: 404 })
})

test('neighbours are those of the sample in the path, and a path without one is refused', async () => {
  const { context, run } = sampled
  const ask = (sample: string) => neighboursAnswer(context, { run: run.id, sample })
  expect(await ask('4')).toMatchObject({ json: { retained: { length: 6 }, test: { length: 6 } } })
  for (const sample of ['1797', '-1', 'x', '1e2', '', '99999999999'])
    await expect(ask(sample)).rejects.toMatchObject({
      status: 404,
      failure: { error: `the data have no sample ${sample}` },
    })
})

test('a number in a path has digits alone', () => {
  expect(['0', '042', '+1', '1.0', ' 1', '0x1', '123456789', '1234567890'].map(sampleNumber)).toEqual([
    0, 42, -1, -1, -1, -1, 123456789, -1,
  ])
})

test('a run without results has no samples yet', async () => {
  const artifacts = openArtifacts(fileDirectory())
  await artifacts.putRun(sampled.run)
  const context = answerContext(artifacts)
  await expect(samplesAnswer(context, { run: sampled.run.id })).rejects.toMatchObject({
    status: 404,
    failure: { remedy: 'wait until its split is there' },
  })
  await expect(imageAnswer(context, { run: sampled.run.id, image: '1.png' })).rejects.toMatchObject({
    status: 404,
  })
})

test('a run whose data were purged says so, and is read again when they are back', async () => {
  const { artifacts, input, run } = await sampledRun()
  const blob = manifestOf<'dataset'>(input, run.plan.dataset)?.outputs.dataset
  if (!blob) return expect.fail('the data set has left no blob')
  const bytes = await artifacts.getBlob(blob)
  rmSync(fileURLToPath(artifacts.store.locate(blobPath(blob))))
  const context = answerContext(openArtifacts(fileURLToPath(artifacts.store.url)))
  const refused = {
    status: 404,
    failure: { error: 'the store has no usable blob of the data or of the split of this run' },
  }
  await expect(samplesAnswer(context, { run: run.id })).rejects.toMatchObject(refused)
  await expect(imageAnswer(context, { run: run.id, image: '1.png' })).rejects.toMatchObject(refused)
  await artifacts.store.put(blobPath(blob), bytes)
  expect(await samplesAnswer(context, { run: run.id })).toHaveProperty('json')
  expect(await imageAnswer(context, { run: run.id, image: '1.png' })).toHaveProperty('bytes')
})
