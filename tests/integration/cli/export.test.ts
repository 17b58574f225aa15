import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { torchFiles } from '../../../cli/export/torch-model.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import { modelSchema } from '../../../experiment/spec/model.ts'
import { presentPeft } from '../../../infra/peft.mjs'
import { forward } from '../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpackArrays } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { testDirectory } from '../../support/directories.ts'
import { closeTo } from '../../support/tensors.ts'

const python = presentPeft()
const why = python === undefined ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''

const script = `
import torch
from model import load
from safetensors.torch import load_file, save_file
with torch.no_grad():
    logits = load()(load_file("images.safetensors")["images"])
save_file({"logits": logits.contiguous()}, "logits.safetensors")
`

test.skipIf(python === undefined).each([
  ['mlp', { hidden: [9, 7] }, [5, 7, 2]],
  ['cnn', { channels: [4, 6], hidden: 12 }, [7, 9, 1]],
  ['resnet-cifar', { depth: 8, width: 4 }, [9, 8, 3]],
  ['airbench', { widths: [4, 6, 8] }, [25, 25, 3]],
] as const)(`PyTorch computes the logits of an exported %s${why}`, async (name, options, shape) => {
  const directory = testDirectory()
  const model = modelSchema.parse({ name, ...options })
  const layers = layersOf(model, shape, 4)
  const specs = parameterSpecs(layers)
  const random = stream(1, 'test')
  const weights = initialWeights(specs, random)
  // Biases and statistics off their defaults, and variances above zero.
  const { trained, statistics } = weights
  for (let i = 0; i < trained.length; i++) trained[i] = (trained[i] ?? 0) + 0.1 * random.normal()
  for (let i = 0; i < statistics.length; i++)
    statistics[i] = Math.abs((statistics[i] ?? 0) + 0.1 * random.uniform())
  const tensors = Object.fromEntries(
    [
      ...Object.entries(unpackArrays(specs.trained, trained)),
      ...Object.entries(unpackArrays(specs.statistics, statistics)),
    ].map(([key, { shape, values }]) => [key, { dtype: 'F32' as const, shape, values }]),
  )
  const [, , channels] = shape
  const normalise = {
    mean: Array.from({ length: channels }, (_, i) => 0.4 + 0.05 * i),
    deviation: Array.from({ length: channels }, (_, i) => 0.2 + 0.03 * i),
  }
  const files = await torchFiles({ model, layers, tensors, shape, classes: ['a', 'b', 'c', 'd'], normalise })
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(directory, file), bytes)
  const images = tf.tensor(
    Float32Array.from({ length: 5 * shape[0] * shape[1] * channels }, () => random.uniform()),
    [5, ...shape],
  )
  const channelsFirst = images.transpose([0, 3, 1, 2])
  writeFileSync(
    join(directory, 'images.safetensors'),
    encodeTensors({
      images: {
        dtype: 'F32',
        shape: channelsFirst.shape,
        values: Float32Array.from(channelsFirst.dataSync()),
      },
    }),
  )

  execFileSync(python ?? '', ['-c', script], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })

  const { logits } = decodeTensors(readFileSync(join(directory, 'logits.safetensors'))).tensors
  const named = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]),
  )
  const { output } = forward(layers, named, images.sub(normalise.mean).div(normalise.deviation))
  const scale = output.abs().max().dataSync()[0] ?? NaN
  expect(scale).toBeGreaterThan(0)
  closeTo(tf.tensor(logits?.values ?? [], [5, 4]).div(scale), output.div(scale), 1e-5)
})
