import { readFileSync } from 'node:fs'
import { pretrainedVit } from '../../../bench/pretrained-vit.ts'
import type { CheckpointFacts } from '../../../experiment/models/pretrained.ts'
import type { DatasetFacts } from '../../../experiment/spec/dataset.ts'
import { checkSpec } from '../../../experiment/spec/check.ts'
import { overrideText } from '../../../experiment/spec/config-overrides.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import type { Spec } from '../../../experiment/spec/spec.ts'
import { parseSweep } from '../../../experiment/sweep/config.ts'
import { pointsOf } from '../../../experiment/sweep/points.ts'
import { digitFacts } from './sample.ts'

/** The configs that are shipped, read and checked as `run` and `sweep` do it. */

const cifarFacts: DatasetFacts = {
  ...digitFacts,
  name: 'cifar10',
  shape: [32, 32, 3],
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  train: digitFacts.train.map(() => 4000),
  test: digitFacts.test.map(() => 1000),
}
/** The facts of the checkpoints that bench/pretrain.py makes, by the name of the experiment. */
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
    architecture: pretrainedVit,
    classes: 10,
    preparation: { filter: 'bilinear', resize: { to: [32, 32] } },
    files: [],
  },
}
export const folder = new URL('../../../configs/experiments/', import.meta.url)
export const sweeps = new URL('../../../configs/sweeps/', import.meta.url)

export function accepted(file: string, text: string, overrides: readonly string[] = []): Spec {
  const { spec: parsed, locate } = parseConfig({ file, text, overrides })
  const { model } = parsed
  const checkpoint = checkpoints[parsed.name]
  const spec: Spec = model.name === 'pretrained' ? { ...parsed, model: { ...model, checkpoint } } : parsed
  checkSpec(spec, factsOf(spec), locate)
  return spec
}

export function factsOf({ data }: Spec): DatasetFacts {
  return data.name === 'digits' ? digitFacts : cifarFacts
}

/** The experiment of every point of a sweep. */
export function acceptedPoints(file: string, text: string): readonly Spec[] {
  return pointsOf(parseSweep({ file, text }).space).map(({ base, set }) =>
    accepted(
      base,
      readFileSync(new URL(base, sweeps), 'utf8'),
      Object.entries(set).map(([path, value]) => overrideText(path, value)),
    ),
  )
}
