import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  encodeDataset,
  encodeSplit,
  readDataset,
  readSplit,
} from '../../../activities/runtime/blob-codecs.ts'
import {
  neighboursOf,
  pixelsOf,
  readPictures,
  samplesOf,
  type Pictures,
} from '../../../activities/samples.ts'
import { readLogits } from '../../../activities/stages/logits.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { blobPath } from '../../../artifacts/format/layout.ts'
import type { SampleTable } from '../../../experiment/records/samples.ts'
import { manifestOf } from '../../../report/input.ts'
import { fileDirectory } from '../../support/directories.ts'
import { sampledRun, type SampledRun } from '../../support/sampled-run.ts'
import { sampleInput, withManifest } from '../report/fixtures.ts'

let sampled: SampledRun
let table: SampleTable
beforeAll(async () => {
  sampled = await sampledRun()
  table = (await samplesOf(sampled.artifacts, sampled.input)) ?? expect.fail('the run has no samples')
})

async function stored() {
  const { artifacts, input, run } = sampled
  const dataset = manifestOf<'dataset'>(input, run.plan.dataset) ?? expect.fail('no data set')
  const split = manifestOf<'split'>(input, run.plan.split) ?? expect.fail('no split')
  return { data: await readDataset(artifacts, dataset), split: await readSplit(artifacts, split) }
}

describe('the table of samples', () => {
  test('has each sample of the split once, with its set and its class', async () => {
    const { data, split } = await stored()
    const bySet = {
      forget: [...split.forget],
      retained: [...split.retained],
      test: [...split.attackTest, ...split.test, ...split.forgottenTest],
    }
    for (const [set, numbers] of Object.entries(bySet))
      expect(table.number.filter((_, row) => table.sets[table.set[row] ?? -1] === set)).toEqual(numbers)
    expect(table.label).toEqual(table.number.map((number) => data.labels[number]))
    expect(table.label.filter((_, row) => table.set[row] === 0).every((label) => label === 3)).toBe(true)
    expect([table.left, table.missing]).toEqual([0, []])
    expect(table.shape).toEqual([8, 8, 1])
  })

  test('has confidences and predictions that the softmax of the logits gives', async () => {
    const { run, artifacts, input } = sampled
    expect(table.models.map(({ label, isGold }) => [label, isGold])).toEqual([
      ['gold', true],
      ['original', false],
      ['finetune', false],
      ['retrain, seed 2', false],
    ])
    const evaluate = run.plan.candidates.find(({ label }) => label === 'finetune')?.evaluate
    const manifest = (evaluate && manifestOf<'evaluate'>(input, evaluate)) ?? expect.fail('not evaluated')
    const logits = await readLogits(artifacts, manifest)
    const parts = ['forget', 'retained', 'attackTest', 'test', 'forgottenTest'] as const
    const rows = parts.flatMap((part) => {
      const { values, labels, classes } = logits[part]
      return Array.from(labels, (label, i) => {
        const own = Array.from(values.subarray(i * classes, (i + 1) * classes), Math.exp)
        const sum = own.reduce((total, one) => total + one, 0)
        return { confidence: (own[label] ?? NaN) / sum, predicted: own.indexOf(Math.max(...own)) }
      })
    })
    const model = table.models.find(({ label }) => label === 'finetune') ?? expect.fail('not listed')
    expect(model.predicted).toEqual(rows.map(({ predicted }) => predicted))
    expect(model.confidence).toHaveLength(rows.length)
    rows.forEach(({ confidence }, row) => {
      expect(Math.abs((model.confidence[row] ?? NaN) - confidence)).toBeLessThan(6e-5)
    })
  })

  test('leaves out samples of the last sets if there are too many, and models without results', async () => {
    const input = sampleInput()
    const artifacts = openArtifacts(fileDirectory())
    const numbers = (count: number, from: number) => Int32Array.from({ length: count }, (_, i) => from + i)
    const none = new Int32Array()
    const split = await artifacts.putBlob(
      encodeSplit({
        ...{ retained: numbers(70_000, 10), forget: numbers(10, 0), validation: none },
        ...{ attackTest: numbers(5, 70_010), test: none, forgottenTest: none },
      }),
    )
    const dataset = await artifacts.putBlob(
      encodeDataset({
        labels: numbers(70_015, 0).map((i) => i % 10),
        ...{ train: none, validation: none, test: none },
        ...{ mean: Float32Array.of(0), deviation: Float32Array.of(1) },
      }),
    )
    const { plan } = input.run
    const large = withManifest(
      withManifest(input, plan.split, (manifest) => ({ ...manifest, outputs: { split } })),
      plan.dataset,
      (manifest) => ({ ...manifest, outputs: { dataset, 'images.00000': dataset } }),
    )
    const found = (await samplesOf(artifacts, large)) ?? expect.fail('the run has no samples')
    expect(found.number).toHaveLength(60_000)
    expect(found.number.slice(0, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(found.number.at(-1)).toBe(59_999)
    expect(found.left).toBe(10_015)
    expect(found.label.at(-1)).toBe(9)
    // The pixels are in shards, which are not read for a page.
    expect(found.shape).toBeUndefined()
    expect(await readPictures(artifacts, large)).toBeUndefined()
    expect(found.models).toEqual([])
    expect(found.missing.map(({ label }) => label)).toContain('finetune')
  })

  test('of a model whose logits are gone names the reason', async () => {
    const { artifacts, input, run } = await sampledRun()
    const evaluate = run.plan.candidates.find(({ label }) => label === 'finetune')?.evaluate
    const blob = evaluate && manifestOf<'evaluate'>(input, evaluate)?.outputs.logits
    if (!blob) return expect.fail('the evaluation has left no logits')
    rmSync(fileURLToPath(artifacts.store.locate(blobPath(blob))))
    const left = await samplesOf(openArtifacts(fileURLToPath(artifacts.store.url)), input)
    expect(left?.missing).toEqual([
      { label: 'finetune', reason: 'the store has no usable blob of its logits' },
    ])
    expect(left?.models).toEqual(table.models.filter(({ label }) => label !== 'finetune'))
  })
})

describe('pictures', () => {
  let pictures: Pictures
  beforeAll(async () => {
    const found = await readPictures(sampled.artifacts, sampled.input)
    pictures = found ?? expect.fail('the run has no pictures')
  })

  test('are the pixels of the data set, and absent beyond its samples', async () => {
    const { data } = await stored()
    expect(pixelsOf(pictures, 17)).toEqual(data.images?.subarray(17 * 64, 18 * 64))
    for (const sample of [-1, data.labels.length]) expect(pixelsOf(pictures, sample)).toBeUndefined()
  })

  test('have the neighbours that sorting all distances gives', async () => {
    const { data, split } = await stored()
    const { images = new Uint8Array() } = data
    const sample = split.forget[5] ?? -1
    const nearestIn = (numbers: readonly number[]) =>
      numbers
        .filter((number) => number !== sample)
        .map((number) => {
          let squares = 0
          for (let i = 0; i < 64; i++)
            squares += ((images[number * 64 + i] ?? NaN) - (images[sample * 64 + i] ?? NaN)) ** 2
          return { number, distance: Math.sqrt(squares / 64) / 16 }
        })
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 6)
    const found = neighboursOf(pictures, sample)
    for (const [set, numbers] of [
      ['retained', [...split.retained]],
      ['test', [...split.attackTest, ...split.test, ...split.forgottenTest]],
    ] as const) {
      const expected = nearestIn(numbers)
      expect(found?.[set].map(({ number }) => number)).toEqual(expected.map(({ number }) => number))
      found?.[set].forEach(({ distance }, i) => {
        expect(distance).toBeCloseTo(expected[i]?.distance ?? NaN, 4)
      })
    }
    expect(neighboursOf(pictures, -1)).toBeUndefined()
  })

  test('of a sample that is retained has other samples as neighbours', async () => {
    const sample = (await stored()).split.retained[0] ?? -1
    const found = neighboursOf(pictures, sample)
    expect(found?.retained).toHaveLength(6)
    expect(found?.retained.map(({ number }) => number)).not.toContain(sample)
  })
})
