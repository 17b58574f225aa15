import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Tensor } from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { adapterOf, readPeft, withAdapter } from '../../../pretrained/read-peft.ts'
import { inspectCheckpoint, readCheckpoint } from '../../../pretrained/read.ts'
import type { Architecture } from '../../../experiment/models/pretrained.ts'
import { architectureLayers } from '../../../experiment/models/model.ts'
import { presentPeft } from '../../../infra/peft.mjs'
import { forward } from '../../../learning/model/forward.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { zeroshift } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { afterFile } from '../../support/release.ts'
import { closeTo, normal } from '../../support/tensors.ts'
import { tinyResnet, tinyVit, writeCheckpoint } from '../../support/tiny-checkpoint.ts'

/** Adapters and checkpoints between transformers, PEFT and here, both ways. */
const python = presentPeft()
const script = fileURLToPath(new URL('models.py', import.meta.url))
const why = python === undefined ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''

let directory: string
let run: (...request: readonly string[]) => Promise<void>
beforeAll(async () => {
  directory = fileDirectory()
  if (python === undefined) return
  run = startPython(python)
  await run('make', directory)
})

/** One Python for all requests, since it imports transformers and PEFT for seconds. */
function startPython(program: string): typeof run {
  const child = spawn(program, [script], { env: { ...process.env, HF_HUB_OFFLINE: '1' } })
  afterFile(() => child.kill())
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (...request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    for (;;) {
      const line = await lines.next()
      if (line.done) throw new Error(`${request.join(' ')}: ${errors}`)
      if (line.value === 'done') return
    }
  }
}

const tensorsIn = (file: string) => {
  const { tensors } = decodeTensors(readFileSync(file))
  return (key: string): Tensor => {
    const tensor = tensors[key]
    if (!tensor) throw new Error(`${file} has no ${key}`)
    return tf.tensor(tensor.values, [...tensor.shape])
  }
}
const channelsLast = (x: Tensor) => (x.rank === 4 ? x.transpose([0, 2, 3, 1]) : x)

/** The checkpoint as it is read here, with an adapter where one is named. */
async function ours(base: string, adapter?: string) {
  const facts = await inspectCheckpoint(base)
  const own = await readCheckpoint(base, facts)
  const { architecture } = facts
  const parameters = adapter
    ? withAdapter(own, adapterOf(await readPeft(adapter), architecture, facts.classes), architecture)
    : own
  const named = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
  )
  const states = hiddenStates(architecture)
  return (pixels: Tensor) => {
    const { output, features } = forward(architectureLayers(architecture, facts.classes), named, pixels, {
      capture: new Set(states),
    })
    return { logits: output, hidden: states.map((name) => features[name] as Tensor) }
  }
}

/** The layers whose outputs transformers calls so. */
function hiddenStates(architecture: Architecture): readonly string[] {
  if (architecture.kind === 'resnet')
    return [
      'resnet.embedder.pooler',
      ...architecture.depths.map((depth, i) => `resnet.encoder.stages.${i}.layers.${depth - 1}`),
    ]
  const { family, layers } = architecture
  return [`${family}.embeddings`, ...Array.from({ length: layers }, (_, i) => `${family}.encoder.layer.${i}`)]
}

/** The outputs of transformers for images, and those of PEFT when there is an adapter. */
async function theirs(pixels: Tensor, base: string, adapter?: string): Promise<Tensor> {
  const [input, output] = [join(directory, 'pixels.safetensors'), join(directory, 'logits.safetensors')]
  const values = pixels.transpose([0, 3, 1, 2])
  writeFileSync(
    input,
    encodeTensors({
      pixel_values: {
        dtype: 'F32',
        shape: values.shape,
        values: Float32Array.from(values.dataSync()),
      },
    }),
  )
  await run('logits', base, ...(adapter === undefined ? [] : [adapter]), input, output)
  return tensorsIn(output)('logits')
}

describe.skipIf(python === undefined)(`transformers and PEFT${why}`, () => {
  test.each(['deit', 'deit-distilled', 'vit-tanh', 'resnet-bottleneck'])(
    '%s of theirs: logits and every hidden state here, within 1e-4',
    async (name) => {
      const reference = tensorsIn(join(directory, name, 'reference.safetensors'))
      const { logits, hidden } = (await ours(join(directory, name)))(channelsLast(reference('pixel_values')))
      closeTo(logits, reference('logits'), 1e-4)
      hidden.forEach((state, i) => {
        closeTo(state, channelsLast(reference(`hidden_states.${i}`)), 1e-4)
      })
    },
  )

  test.each([
    ['vit-tanh', 'rank-stabilised, ranks and alphas of single layers, a head of its own'],
    ['deit-distilled', 'both heads'],
    ['resnet-bottleneck', 'convolutions'],
  ])("PEFT's adapter of %s (%s): its logits here, within 1e-4", async (name) => {
    const [base, adapter] = [join(directory, name), join(directory, `${name}-lora`)]
    const reference = tensorsIn(join(adapter, 'reference.safetensors'))
    const pixels = channelsLast(reference('pixel_values'))
    const { logits } = (await ours(base, adapter))(pixels)
    closeTo(logits, reference('logits'), 1e-4)
    const without = (await ours(base))(pixels).logits
    expect(without.sub(reference('logits')).abs().max().dataSync()[0]).toBeGreaterThan(1e-2)

    const merged = join(directory, `${name}-merged`)
    const { code, stderr } = await zeroshift(
      directory,
      'adapter',
      'merge',
      adapter,
      '--base',
      base,
      '--out',
      merged,
    ).ended
    expect(code, stderr).toBe(0)
    closeTo(await theirs(pixels, merged), reference('logits'), 1e-4)
  })

  test.each([
    ['vit', tinyVit, ['*.query', '*.intermediate.dense', '*.projection', 'classifier']],
    ['resnet', tinyResnet, ['*.layer.1.convolution', '*.shortcut.convolution', 'classifier.1']],
  ] as const)(
    "a run's adapter of a %s: PEFT gives our logits, within 1e-4",
    async (name, architecture, layers) => {
      writeCheckpoint(join(directory, `tiny-${name}`), architecture)
      writeFileSync(
        join(directory, `${name}.yaml`),
        `
name: ${name}
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: pretrained, from: tiny-${name} }
training: { epochs: 1, batchSize: 64, optimizer: { name: adam, learningRate: 0.005 } }
methods:
  - { method: rfa, rank: 2, layers: ${JSON.stringify(layers)}, steps: 10, optimizer: { name: adam, learningRate: 0.01 } }
`,
      )
      const ended = await zeroshift(directory, 'run', `${name}.yaml`, '--json').ended
      expect(ended.code, ended.stderr).toBe(0)
      const { id } = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as { id: string }
      const exported = await zeroshift(directory, 'adapter', 'export', id, '--out', `${name}-out`).ended
      expect(exported.code, exported.stderr).toBe(0)
      const [base, adapter] = ['base', 'adapter'].map((part) => join(directory, `${name}-out`, part)) as [
        string,
        string,
      ]
      const pixels = normal([4, 8, 8, 3], 7)
      const { logits } = (await ours(base, adapter))(pixels)
      closeTo(await theirs(pixels, base, adapter), logits, 1e-4)
      closeTo(await theirs(pixels, base), (await ours(base))(pixels).logits, 1e-4)
      expect(
        logits
          .sub((await ours(base))(pixels).logits)
          .abs()
          .max()
          .dataSync()[0],
      ).toBeGreaterThan(1e-3)
      expect(readdirSync(adapter).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
    },
  )
})
