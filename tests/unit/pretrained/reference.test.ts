import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Tensor } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { decodeTensors } from '../../../artifacts/format/safetensors.ts'
import { adapterOf, readPeft, withAdapter } from '../../../pretrained/read-peft.ts'
import { inspectCheckpoint, readCheckpoint } from '../../../pretrained/read.ts'
import { publishedSpelling } from '../../../pretrained/spelling.ts'
import { architectureLayers } from '../../../experiment/models/model.ts'
import { forward } from '../../../learning/model/forward.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
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

    test("PEFT's own adapter, and the same under published names: its logits", async () => {
      const facts = await inspectCheckpoint(`${fixtures}/vit-tiny`)
      const base = await readCheckpoint(`${fixtures}/vit-tiny`, facts)
      const directory = `${fixtures}/vit-tiny-lora-r4`
      const files = await readPeft(directory)
      expect(files.updates).toHaveLength(6)
      expect(files.updates[0]).toMatchObject({ rank: 4, alpha: 8, scale: 2 })
      const published = {
        ...files,
        config: { ...files.config, targets: undefined },
        updates: files.updates.map((update) => ({
          ...update,
          module: publishedSpelling(update.module, 'vit'),
        })),
      }
      expect(published.updates[0]?.module).toContain('vit.encoder.layer.')
      const { tensors } = decodeTensors(readFileSync(`${directory}/reference.safetensors`))
      const reference = (key: string) => {
        const { shape, values } = tensors[key] ?? { shape: [0], values: [] }
        return tf.tensor(values, [...shape])
      }
      for (const one of [files, published]) {
        const adapter = adapterOf(one, facts.architecture, facts.classes)
        const merged = withAdapter(base, adapter, facts.architecture)
        const named = Object.fromEntries(
          Object.entries(merged).map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]),
        )
        const pixels = reference('pixel_values').transpose([0, 2, 3, 1])
        const { output } = forward(architectureLayers(facts.architecture, facts.classes), named, pixels)
        closeTo(output, reference('logits'), 1e-4)
      }
    })
  },
)
