import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Tensor } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { decodeTensors } from '../../../artifacts/safetensors.ts'
import { inspectCheckpoint, readCheckpoint } from '../../../checkpoints/read.ts'
import { architectureLayers } from '../../../experiment/model.ts'
import { forward } from '../../../learning/model.ts'
import { tf } from '../../../learning/tf.ts'
import { closeTo } from '../../support/tensors.ts'

const fixtures = fileURLToPath(new URL('../../../../shared/fixtures/huggingface', import.meta.url))

/** The layers whose outputs transformers calls hidden states, of the models in the fixtures. */
const hidden = {
  'vit-tiny': ['vit.embeddings', ...[0, 1, 2].map((i) => `vit.encoder.layer.${i}`)],
  'resnet-tiny': ['resnet.embedder.pooler', '0.layers.1', '1.layers.0', '2.layers.0', '3.layers.1'].map(
    (name, i) => (i === 0 ? name : `resnet.encoder.stages.${name}`),
  ),
}

describe.skipIf(!existsSync(fixtures))(
  'models written by transformers (skipped without the shared fixtures)',
  () => {
    test.each(['vit-tiny', 'resnet-tiny'] as const)('%s: logits and every hidden state', async (name) => {
      const directory = `${fixtures}/${name}`
      const facts = await inspectCheckpoint(directory)
      const parameters = await readCheckpoint(directory, facts)
      const { tensors } = decodeTensors(readFileSync(`${directory}/reference.safetensors`))
      const reference = (key: string) => {
        const { shape, values } = tensors[key] ?? { shape: [0], values: [] }
        const tensor = tf.tensor(values, [...shape])
        return shape.length === 4 ? tensor.transpose([0, 2, 3, 1]) : tensor
      }

      const layers = architectureLayers(facts.architecture, facts.classes)
      const named = Object.fromEntries(
        Object.entries(parameters).map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]),
      )
      const { output, features } = forward(layers, named, reference('pixel_values'), {
        capture: new Set(hidden[name]),
      })
      closeTo(output, reference('logits'), 1e-4)
      expect(Object.keys(tensors).filter((key) => key.startsWith('hidden_states'))).toHaveLength(
        hidden[name].length,
      )
      hidden[name].forEach((layer, i) => {
        closeTo(features[layer] as Tensor, reference(`hidden_states.${i}`), 1e-4)
      })
    })
  },
)
