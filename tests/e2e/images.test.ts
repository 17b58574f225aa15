import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { stream } from '../../learning/random.ts'
import { zeroshift } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { mlflowServer, type TestMlflow } from '../support/mlflow.ts'
import { forFile } from '../support/release.ts'

/**
 * Colour images in the layout of CIFAR-10, a residual network with all options of training, a
 * random split, and tracking on a real MLflow server. The digits experiment takes none of these
 * paths.
 */
let directory: string
let mlflow: TestMlflow
beforeAll(async () => {
  directory = fileDirectory()
  writeFileSync(join(directory, 'train.bin'), records(400, 1))
  writeFileSync(join(directory, 'test.bin'), records(200, 2))
  mlflow = await forFile(mlflowServer())
})

/** Labels 0 and 1; the brighter channel, red or green, is the class. */
function records(count: number, seed: number): Uint8Array {
  const random = stream(seed, 'records')
  const bytes = new Uint8Array(count * 3073)
  for (let i = 0; i < count; i++) {
    const label = i % 2
    bytes[i * 3073] = label
    for (let p = 0; p < 3072; p++) {
      const bright = Math.floor(p / 1024) === label
      bytes[i * 3073 + 1 + p] = Math.max(0, Math.min(255, (bright ? 150 : 100) + 30 * random.normal()))
    }
  }
  return bytes
}

const config = (uri: string) => `
name: images
data: { name: cifar10, train: [train.bin], test: [test.bin], validation: 0.1 }
dataDirectory: .
split: { kind: random, count: 40 }
model: { name: resnet-cifar, depth: 8, width: 4 }
training:
  epochs: 3
  batchSize: 40
  optimizer: { name: sgd, learningRate: 0.05, nesterov: true, weightDecay: 1.0e-4 }
  schedule: { name: step, milestones: [0.7] }
  warmupEpochs: 0.5
  labelSmoothing: 0.05
  augment: { crop: 2, flip: true }
methods:
  - method: retrain
  - { method: finetune, epochs: 0.5 }
  - { method: rfa, target: random-retained, layers: ['stage3.*'], align: [pool], rank: 2, rslora: true, steps: 5, forgetBatch: 8, retainedBatch: 16 }
tracking: { uri: ${uri}, experiment: e2e }
`

test('a run on images completes, and MLflow has a run with figures and curves for every model', async () => {
  writeFileSync(join(directory, 'images.yaml'), config(mlflow.url))
  const { stdout } = await zeroshift(directory, 'run', 'images.yaml', '--json').ended
  const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    status: string
    notes: string[]
    results: { method: string; metrics: Record<string, number | null> }[]
  }
  expect(answer).toMatchObject({ status: 'completed', notes: [], failed: [] })
  expect(answer.results.map(({ method }) => method)).toEqual([
    'retrain',
    'finetune',
    'rfa',
    'retrain, seed 2',
  ])
  for (const { metrics } of answer.results) expect(metrics.ta).toBeGreaterThan(80)

  const ask = async <T>(path: string, body: unknown) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
    return (await (await fetch(`${mlflow.url}/api/2.0/mlflow/${path}`, init)).json()) as T
  }
  const { experiments } = await ask<{ experiments: { experiment_id: string; name: string }[] }>(
    'experiments/search',
    {
      max_results: 10,
    },
  )
  const found = experiments.find(({ name }) => name === 'e2e')
  const { runs } = await ask<{
    runs: {
      info: { run_name: string; status: string }
      data: { metrics?: { key: string; value: number }[] }
    }[]
  }>('runs/search', { experiment_ids: [found?.experiment_id], max_results: 20 })
  expect(runs).toHaveLength(5)
  expect(runs.every(({ info }) => info.status === 'FINISHED')).toBe(true)
  const rfa = runs.find(({ info }) => info.run_name === 'rfa')
  const logged = Object.fromEntries((rfa?.data.metrics ?? []).map(({ key, value }) => [key, value]))
  expect(logged.ta).toBeCloseTo(answer.results[2]?.metrics.ta ?? NaN, 6)
  expect(Object.keys(logged)).toEqual(expect.arrayContaining(['averageGap', 'loss', 'residual/retained']))
})
