import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { encodeTensors, type WritableTensor } from '../../../artifacts/format/safetensors.ts'
import { inspectCheckpoint, readCheckpoint } from '../../../pretrained/read.ts'
import { currentSpelling } from '../../../pretrained/spelling.ts'
import type { Architecture } from '../../../experiment/models/pretrained.ts'
import { UserError } from '../../../common/errors.ts'
import { architectureLayers } from '../../../experiment/models/model.ts'
import { forward } from '../../../learning/model/forward.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { testDirectory } from '../../support/directories.ts'
import { closeTo, normal } from '../../support/tensors.ts'
import { configOf, tensorsOf, tinyResnet, tinyVit, writeCheckpoint } from '../../support/tiny-checkpoint.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const read = async () => readCheckpoint(directory, await inspectCheckpoint(directory))
const refusal = async () => {
  const error: unknown = await inspectCheckpoint(directory).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UserError)
  return (error as UserError).message
}
const renamed = (tensors: Readonly<Record<string, WritableTensor>>, name: (old: string) => string) =>
  Object.fromEntries(Object.entries(tensors).map(([old, tensor]) => [name(old), tensor]))

describe.each([
  ['ViT', tinyVit],
  ['ResNet', tinyResnet],
  [
    'bottleneck ResNet',
    { ...tinyResnet, widths: [8, 16], block: 'bottleneck', downsampleInBottleneck: true },
  ],
  ['DeiT', { ...tinyVit, family: 'deit' }],
] satisfies [string, Architecture][])('%s', (_, architecture) => {
  test('comes back as it was described, and every parameter is found', async () => {
    writeCheckpoint(directory, architecture)
    const facts = await inspectCheckpoint(directory)
    expect(facts.architecture).toEqual(architecture)
    expect(facts.classes).toBe(10)
    expect(facts.files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors'])
    const parameters = await readCheckpoint(directory, facts)
    const named = Object.fromEntries(
      Object.entries(parameters).map(([key, { shape, values }]) => [key, tf.tensor(values, [...shape])]),
    )
    const { output } = forward(architectureLayers(architecture, 10), named, normal([2, 8, 8, 3], 1))
    expect(output.shape).toEqual([2, 10])
    expect(output.isFinite().all().dataSync()[0]).toBe(1)
  })
})

test('shards are one checkpoint, whatever each holds', async () => {
  writeCheckpoint(directory, tinyVit)
  const whole = await read()
  const entries = Object.entries(tensorsOf(tinyVit))
  const shards = [entries.filter((_, i) => i % 2 === 0), entries.filter((_, i) => i % 2 === 1)]
  const names = shards.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`)
  shards.forEach((shard, i) => {
    writeFileSync(join(directory, names[i] ?? ''), encodeTensors(Object.fromEntries(shard)))
  })
  rmSync(join(directory, 'model.safetensors'))
  const weightMap = Object.fromEntries(
    shards.flatMap((shard, i) => shard.map(([name]) => [name, names[i] ?? ''])),
  )
  const index = join(directory, 'model.safetensors.index.json')
  writeFileSync(index, JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }))
  expect(await read()).toEqual(whole)

  writeFileSync(
    index,
    JSON.stringify({ weight_map: { ...weightMap, 'classifier.bias': '../escape.safetensors' } }),
  )
  expect(await refusal()).toContain('"../escape.safetensors" is no name of a shard beside it')
  writeFileSync(
    index,
    JSON.stringify({ weight_map: { ...weightMap, 'classifier.bias': names[0], other: names[1] } }),
  )
  expect(await refusal()).toContain('and is not')
})

test('both spellings of names, a bare encoder, and what other uses left in the file', async () => {
  writeCheckpoint(directory, tinyVit)
  const published = await read()
  const tensors = tensorsOf(tinyVit)
  writeCheckpoint(directory, tinyVit, { tensors: renamed(tensors, (name) => currentSpelling(name, 'vit')) })
  expect(await read()).toEqual(published)

  const { 'classifier.weight': _w, 'classifier.bias': _b, ...encoder } = tensors
  const pooler: WritableTensor = { dtype: 'F32', shape: [12], values: new Float32Array(12) }
  writeCheckpoint(directory, tinyVit, {
    tensors: { ...renamed(encoder, (name) => name.replace(/^vit\./, '')), 'pooler.dense.bias': pooler },
    config: { ...configOf(tinyVit), architectures: ['ViTModel'] },
  })
  const bare = await inspectCheckpoint(directory)
  expect(bare.classes).toBe(0)
  const { 'classifier.weight': _ow, 'classifier.bias': _ob, ...rest } = published
  expect(await readCheckpoint(directory, bare)).toEqual(rest)
})

test("the one head of a distilled DeiT gives the mean of its two heads' logits", async () => {
  const distilled: Architecture = { ...tinyVit, family: 'deit', distilled: true }
  const { 'classifier.weight': _w, 'classifier.bias': _b, ...encoder } = tensorsOf(distilled)
  const head = (seed: number) => ({
    weight: tensorsOf({ ...tinyVit, layers: 1 }, 10, seed)['classifier.weight'],
    bias: tensorsOf({ ...tinyVit, layers: 1 }, 10, seed)['classifier.bias'],
  })
  const heads = { cls_classifier: head(5), distillation_classifier: head(6) }
  const flat = Object.fromEntries(
    Object.entries(heads).flatMap(([name, { weight, bias }]) => [
      [`${name}.weight`, weight],
      [`${name}.bias`, bias],
    ]),
  ) as Record<string, WritableTensor>
  writeCheckpoint(directory, distilled, { tensors: { ...encoder, ...flat } })
  const parameters = await read()
  const tokens = normal([3, 24], 9)
  const tensor = (name: string) => {
    const { shape = [], values = [] } = parameters[name] ?? {}
    return tf.tensor(values, [...shape])
  }
  const own = tf.matMul(tokens as never, tensor('classifier.weight') as never).add(tensor('classifier.bias'))
  const logits = Object.values(heads).map(({ weight, bias }, i) =>
    tf
      .matMul(
        tokens.slice([0, 12 * i], [3, 12]) as never,
        tf.tensor(weight?.values ?? [], [10, 12]) as never,
        false,
        true,
      )
      .add(tf.tensor(bias?.values ?? [])),
  )
  closeTo(own, tf.addN(logits).div(2), 1e-5)
})

test('half-precision weights are widened exactly', async () => {
  const tensors = tensorsOf(tinyVit)
  const bytes = encodeTensors(tensors)
  // Every float32 that is a bfloat16 has zeros in its lower half.
  const rounded = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const bits = new Uint32Array(Float32Array.from(tensor.values).buffer).map((word) => word & 0xffff0000)
      return [name, { dtype: 'F32', shape: tensor.shape, values: new Float32Array(bits.buffer) }] as const
    }),
  )
  writeCheckpoint(directory, tinyVit, { tensors: rounded })
  const expected = await read()
  writeFileSync(join(directory, 'model.safetensors'), halved(rounded))
  expect(await read()).toEqual(expected)
  expect(bytes.length).toBeGreaterThan(readFileSync(join(directory, 'model.safetensors')).length)
})

/** Converts the tensors to BF16. */
function halved(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>,
) {
  const header: Record<string, unknown> = {}
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const words = Uint16Array.from(new Uint32Array(values.slice().buffer), (word) => word >>> 16)
    parts.push(new Uint8Array(words.buffer))
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, (at += 2 * values.length)] }
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, ...parts])
}

describe('what cannot be used is named', () => {
  test('tensors that are missing, strange or of another shape or type, all at once', async () => {
    const { 'vit.layernorm.bias': _, ...tensors } = tensorsOf(tinyVit)
    const vector: WritableTensor = { dtype: 'F32', shape: [3], values: new Float32Array(3) }
    writeCheckpoint(directory, tinyVit, {
      tensors: {
        ...tensors,
        'vit.extra.weight': vector,
        'vit.layernorm.weight': vector,
        'vit.embeddings.cls_token': { dtype: 'I32', shape: [1, 1, 12], values: new Int32Array(12) },
      },
    })
    const message = await refusal()
    expect(message).toContain('"vit.layernorm.bias" [12] is missing')
    expect(message).toContain('"vit.extra.weight" is not of this model')
    expect(message).toContain('"vit.layernorm.weight" has the shape [3], expected [12]')
    expect(message).toContain('"vit.embeddings.cls_token" has the type I32, expected F32, F16 or BF16')
  })

  test.each([
    [{ model_type: 'bert' }, 'the model_type "bert" is not known here; expected one of vit, deit, resnet'],
    [{ architectures: ['ViTForMaskedImageModeling'] }, 'ViTForMaskedImageModeling is no image classifier'],
    [{ hidden_act: 'quick_gelu' }, 'the hidden_act "quick_gelu" is not known here'],
    [{ hidden_size: -1 }, 'hidden_size'],
    [{ num_attention_heads: 5 }, 'hidden_size 12 is no multiple of num_attention_heads 5'],
    [{ patch_size: [4, 2] }, 'patches are square here'],
    [{ image_size: 2 }, 'is smaller than a patch of 4'],
  ])('of config.json: %o', async (changes, expected) => {
    writeCheckpoint(directory, tinyVit, { config: { ...configOf(tinyVit), ...changes } })
    expect(await refusal()).toContain(expected)
  })

  test('a pickle, which is never read', async () => {
    writeCheckpoint(directory, tinyVit)
    rmSync(join(directory, 'model.safetensors'))
    writeFileSync(join(directory, 'pytorch_model.bin'), 'import os')
    expect(await refusal()).toContain('pytorch_model.bin is a pickle, which can run code when it is read')
    expect(await refusal()).toContain(
      'torch.load("pytorch_model.bin", map_location="cpu", weights_only=True)',
    )
    rmSync(join(directory, 'pytorch_model.bin'))
    expect(await refusal()).toContain(
      'expected model.safetensors, or model.safetensors.index.json and its shards',
    )
    rmSync(join(directory, 'config.json'))
    expect(await refusal()).toContain(
      "config.json is missing; expected a checkpoint in the layout of Hugging Face's",
    )
  })

  test('a file that is cut off, and one that changed after it was described', async () => {
    writeCheckpoint(directory, tinyVit)
    const facts = await inspectCheckpoint(directory)
    const file = join(directory, 'model.safetensors')
    const bytes = readFileSync(file)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    writeFileSync(file, bytes)
    await expect(readCheckpoint(directory, facts)).rejects.toThrow(/SHA-256.*it was changed after/)
    writeFileSync(file, bytes.subarray(0, 100))
    expect(await refusal()).toContain('not a safetensors file')
  })
})
