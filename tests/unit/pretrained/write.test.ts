import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { decodeTensors } from '../../../artifacts/format/safetensors.ts'
import { readLabels } from '../../../pretrained/labels.ts'
import { inspectCheckpoint, readCheckpoint } from '../../../pretrained/read.ts'
import { writeCheckpoint } from '../../../pretrained/write.ts'
import type { Architecture, Preparation } from '../../../experiment/models/pretrained.ts'
import { testDirectory } from '../../support/directories.ts'
import { parametersFor } from '../../support/parameters.ts'
import { tinyResnet, tinyVit } from '../../support/tiny-checkpoint.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`)
const normalise = { mean: [0.5, 0.4, 0.3], deviation: [0.25, 0.2, 0.3] }

test.each([
  ['ViT', tinyVit],
  ['wide ViT with relu', { ...tinyVit, image: [8, 12], activation: 'relu', qkvBias: false }],
  ['distilled DeiT with tanh', { ...tinyVit, family: 'deit', distilled: true, activation: 'gelu-tanh' }],
  ['ResNet', tinyResnet],
  [
    'bottleneck ResNet',
    { ...tinyResnet, widths: [8, 16], block: 'bottleneck', downsampleInBottleneck: true },
  ],
] satisfies [string, Architecture][])(
  'a %s comes back as it was written: every weight to the bit, and the names of classes',
  async (_, architecture) => {
    const parameters = parametersFor(architecture)
    await writeCheckpoint(directory, {
      architecture,
      parameters,
      labels,
      preparation: { filter: 'bilinear' },
    })
    const facts = await inspectCheckpoint(directory)
    expect(facts).toMatchObject({ architecture, classes: 10 })
    const read = await readCheckpoint(directory, facts)
    expect(Object.keys(read).sort()).toEqual(Object.keys(parameters).sort())
    for (const [name, tensor] of Object.entries(parameters)) expect(read[name], name).toEqual(tensor)
    expect(await readLabels(directory, 10)).toEqual(labels)
  },
)

test('a batch norm has the counter that transformers keeps beside its statistics', async () => {
  await writeCheckpoint(directory, {
    architecture: tinyResnet,
    parameters: parametersFor(tinyResnet),
    labels,
    preparation: { filter: 'bilinear' },
  })
  const { tensors } = decodeTensors(readFileSync(join(directory, 'model.safetensors')))
  const named = (end: string) =>
    Object.keys(tensors).flatMap((name) => (name.endsWith(end) ? [name.slice(0, -end.length)] : []))
  expect(named('.num_batches_tracked')).toEqual(named('.running_mean'))
  expect(named('.num_batches_tracked')).not.toEqual([])
  const counters = Object.entries(tensors).filter(([name]) => name.endsWith('.num_batches_tracked'))
  for (const [, { dtype, shape }] of counters) expect({ dtype, shape }).toEqual({ dtype: 'I64', shape: [] })
})

test.each([
  { filter: 'bilinear', normalise, resize: { to: [8, 8] } },
  { filter: 'nearest', normalise },
  { filter: 'bicubic', normalise, resize: { shortestEdge: 9 }, crop: [8, 8] },
  { filter: 'bicubic', normalise, resize: { to: [9, 10] }, crop: [8, 8] },
  { filter: 'bilinear', normalise, crop: [8, 8] },
  { filter: 'bilinear', normalise, resize: { shortestEdge: 9 } },
  // Nothing says how images are normalised: no file does.
  { filter: 'bilinear', resize: { to: [8, 8] } },
] satisfies Preparation[])('so does what becomes of images: %o', async (preparation) => {
  const parameters = parametersFor(tinyVit)
  await writeCheckpoint(directory, { architecture: tinyVit, parameters, labels, preparation })
  expect((await inspectCheckpoint(directory)).preparation).toEqual(preparation)
})

test('classes without names are called as transformers calls them', async () => {
  expect(await readLabels(directory, 2)).toEqual(['LABEL_0', 'LABEL_1'])
})
