import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { torchFiles } from '../../../cli/export/torch-model.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import type { Shape } from '../../../experiment/models/layers.ts'
import { modelSchema } from '../../../experiment/spec/model.ts'
import { presentPeft } from '../../../infra/peft.mjs'
import { forward } from '../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpackArrays } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { fileDirectory } from '../../support/directories.ts'
import { closeTo } from '../../support/tensors.ts'

const python = presentPeft()
const why = python === undefined ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''

/** One Python for all models, since it imports PyTorch for seconds. */
const script = `
import runpy
import sys
import torch
from safetensors.torch import load_file, save_file
for directory in sys.argv[1:]:
    load = runpy.run_path(f"{directory}/model.py")["load"]
    with torch.no_grad():
        logits = load()(load_file(f"{directory}/images.safetensors")["images"])
    save_file({"logits": logits.contiguous()}, f"{directory}/logits.safetensors")
`

const models = [
  ['mlp', { hidden: [9, 7] }, [5, 7, 2]],
  ['cnn', { channels: [4, 6], hidden: 12 }, [7, 9, 1]],
  ['resnet-cifar', { depth: 8, width: 4 }, [9, 8, 3]],
  ['airbench', { widths: [4, 6, 8] }, [25, 25, 3]],
] as const

let directory: string
/** The logits that are computed here, by model. */
const own = new Map<string, Tensor>()
beforeAll(async () => {
  directory = fileDirectory()
  if (python === undefined) return
  for (const [name, options, shape] of models)
    own.set(name, await exported(join(directory, name), { name, ...options }, shape))
  const folders = models.map(([name]) => join(directory, name))
  execFileSync(python, ['-c', script, ...folders], { stdio: ['ignore', 'pipe', 'pipe'] })
})

/** Exports a random model to a directory, with images beside it. Returns its logits of them. */
async function exported(folder: string, options: object, shape: Shape): Promise<Tensor> {
  mkdirSync(folder)
  const model = modelSchema.parse(options)
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
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, file), bytes)
  const images = tf.tensor(
    Float32Array.from({ length: 5 * shape[0] * shape[1] * channels }, () => random.uniform()),
    [5, ...shape],
  )
  const channelsFirst = images.transpose([0, 3, 1, 2])
  writeFileSync(
    join(folder, 'images.safetensors'),
    encodeTensors({
      images: {
        dtype: 'F32',
        shape: channelsFirst.shape,
        values: Float32Array.from(channelsFirst.dataSync()),
      },
    }),
  )
  const named = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]),
  )
  return forward(layers, named, images.sub(normalise.mean).div(normalise.deviation)).output
}

test.skipIf(python === undefined).each(models)(
  `PyTorch computes the logits of an exported %s${why}`,
  (name) => {
    const { logits } = decodeTensors(readFileSync(join(directory, name, 'logits.safetensors'))).tensors
    const output = own.get(name)
    if (!output) throw new Error(`${name} was not exported`)
    const scale = output.abs().max().dataSync()[0] ?? NaN
    expect(scale).toBeGreaterThan(0)
    closeTo(tf.tensor(logits?.values ?? [], [5, 4]).div(scale), output.div(scale), 1e-5)
  },
)
