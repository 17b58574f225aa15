import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CheckpointFacts } from '../../../experiment/checkpoint.ts'
import { checkSpec } from '../../../experiment/check.ts'
import { overrideText } from '../../../experiment/config-overrides.ts'
import { parseConfig } from '../../../experiment/config.ts'
import type { Spec } from '../../../experiment/spec.ts'
import { parseSweep } from '../../../experiment/sweep-config.ts'
import { pointsOf } from '../../../experiment/sweep-points.ts'
import { digitFacts } from './sample.ts'

const cifarFacts = {
  ...digitFacts,
  name: 'cifar10',
  shape: [32, 32, 3] as const,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  train: digitFacts.train.map(() => 4000),
  test: digitFacts.test.map(() => 1000),
}
/** What bench/pretrain.py makes, by the experiment's name. */
const checkpoints: Readonly<Record<string, CheckpointFacts>> = {
  'pretrained-resnet': {
    architecture: {
      kind: 'resnet',
      channels: 3,
      embedding: 32,
      widths: [32, 64, 128, 256],
      depths: [1, 1, 1, 1],
      block: 'basic',
      downsampleInFirstStage: false,
      downsampleInBottleneck: false,
    },
    classes: 10,
    preparation: { filter: 'bilinear', resize: { to: [32, 32] } },
    files: [],
  },
  'pretrained-vit': {
    architecture: {
      kind: 'vit',
      family: 'vit',
      image: [32, 32],
      patch: 8,
      channels: 3,
      width: 192,
      layers: 12,
      heads: 3,
      mlp: 768,
      activation: 'gelu',
      epsilon: 1e-12,
      qkvBias: true,
      distilled: false,
    },
    classes: 10,
    preparation: { filter: 'bilinear', resize: { to: [32, 32] } },
    files: [],
  },
}
const folder = new URL('../../../configs/experiments/', import.meta.url)
const sweeps = new URL('../../../configs/sweeps/', import.meta.url)

function accepted(file: string, text: string, overrides: readonly string[] = []): Spec {
  const { spec: parsed, locate } = parseConfig({ file, text, overrides })
  const { model } = parsed
  const checkpoint = checkpoints[parsed.name]
  const spec: Spec = model.name === 'pretrained' ? { ...parsed, model: { ...model, checkpoint } } : parsed
  checkSpec(spec, spec.data.name === 'digits' ? digitFacts : cifarFacts, locate)
  return spec
}

test.each(readdirSync(folder).sort())('%s is accepted, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const spec = accepted(file, text)
  expect(`${spec.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift run configs/experiments/${file}`)
})

test.each(
  readdirSync(sweeps)
    .filter((name) => name.endsWith('.yaml'))
    .sort(),
)('%s is accepted at every point, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, sweeps), 'utf8')
  const { space } = parseSweep({ file, text })
  for (const { base, set } of pointsOf(space))
    accepted(
      base,
      readFileSync(new URL(base, sweeps), 'utf8'),
      Object.entries(set).map(([path, value]) => overrideText(path, value)),
    )
  expect(`${space.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift sweep configs/sweeps/${file}`)
})
