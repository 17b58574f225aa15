import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { encodeTensors, type WritableTensor } from '../../../artifacts/format/safetensors.ts'
import { toPeft } from '../../../pretrained/peft.ts'
import { adapterOf, readPeft, withAdapter } from '../../../pretrained/read-peft.ts'
import { publishedSpelling } from '../../../pretrained/spelling.ts'
import type { Architecture, VitArchitecture } from '../../../experiment/models/pretrained.ts'
import { UserError } from '../../../common/errors.ts'
import { architectureLayers } from '../../../experiment/models/model.ts'
import { adaptableLayers } from '../../../experiment/models/layers.ts'
import { adapted, lora } from '../../../learning/model/lora.ts'
import { totalSize } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { testDirectory } from '../../support/directories.ts'
import { parametersFor } from '../../support/parameters.ts'
import { closeTo } from '../../support/tensors.ts'
import { tinyResnet, tinyVit } from '../../support/tiny-checkpoint.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const distilled: VitArchitecture = { ...tinyVit, family: 'deit', distilled: true }

/** An adapter of every layer, with random A and B. */
function randomAdapter(architecture: Architecture, rank = 2) {
  const adapter = lora(adaptableLayers(architectureLayers(architecture, 10)), {
    rank,
    alpha: 3,
    rslora: true,
  })
  const random = stream(2, 'adapter')
  return {
    adapter,
    values: Float32Array.from({ length: totalSize(adapter.specs) }, () => 0.3 * random.normal()),
  }
}

type Files = ReturnType<typeof toPeft>

function write(
  { config, tensors }: Files,
  changes: {
    readonly config?: Readonly<Record<string, unknown>>
    readonly tensors?: Readonly<Record<string, WritableTensor | undefined>>
  } = {},
): void {
  const own = Object.entries(tensors).map(([name, tensor]) => [name, { dtype: 'F32', ...tensor } as const])
  const all: Readonly<Record<string, WritableTensor | undefined>> = {
    ...(Object.fromEntries(own) as Record<string, WritableTensor>),
    ...changes.tensors,
  }
  const kept = Object.entries(all).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []))
  writeFileSync(join(directory, 'adapter_config.json'), JSON.stringify({ ...config, ...changes.config }))
  writeFileSync(join(directory, 'adapter_model.safetensors'), encodeTensors(Object.fromEntries(kept)))
}

function filesOf(architecture: Architecture): Files {
  const { adapter, values } = randomAdapter(architecture)
  return toPeft(adapter, values, architecture)
}

const zeros = (...shape: number[]): WritableTensor => ({
  dtype: 'F32',
  shape,
  values: new Float32Array(shape.reduce((product, side) => product * side, 1)),
})

describe.each([
  ['ViT', tinyVit],
  ['DeiT', { ...tinyVit, family: 'deit' }],
  ['distilled DeiT', distilled],
  ['ResNet', tinyResnet],
  ['bottleneck ResNet', { ...tinyResnet, widths: [8, 16], block: 'bottleneck' }],
] satisfies [string, Architecture][])('%s', (_, architecture) => {
  test('an adapter of every layer comes back from its files as the same weights, within 1e-5', async () => {
    const { adapter, values } = randomAdapter(architecture)
    write(toPeft(adapter, values, architecture))
    const base = parametersFor(architecture)
    const read = adapterOf(await readPeft(directory), architecture, 10)
    const merged = withAdapter(base, read, architecture)
    const named = Object.fromEntries(
      Object.entries(base).map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
    )
    const expected = adapted(adapter, named, tf.tensor1d(values))
    expect(Object.keys(merged).sort()).toEqual(Object.keys(expected).sort())
    for (const [name, { shape, values }] of Object.entries(merged)) {
      const tensor = expected[name]
      if (tensor) closeTo(tf.tensor(values, [...shape]), tensor, 1e-5)
    }
  })
})

test('transformers 5 calls a transformer’s layers otherwise than published checkpoints; both are read', async () => {
  const files = filesOf(tinyVit)
  expect(Object.keys(files.tensors)).toContain('base_model.model.vit.layers.0.attention.q_proj.lora_A.weight')
  expect(files.config.target_modules).toContain('vit.layers.1.mlp.fc2')
  write(files)
  const current = adapterOf(await readPeft(directory), tinyVit, 10)
  const published = (name: string) => publishedSpelling(name, 'vit')
  const prefix = 'base_model.model.'
  write({
    config: {
      ...files.config,
      target_modules: ['query', 'key', 'value', 'dense', 'projection', 'classifier'],
    },
    tensors: Object.fromEntries(
      Object.entries(files.tensors).map(([name, tensor]) => [
        `${prefix}${published(name.slice(prefix.length))}`,
        tensor,
      ]),
    ),
  })
  expect(adapterOf(await readPeft(directory), tinyVit, 10)).toEqual(current)
})

test('ranks and alphas of single layers: the first pattern that matches the end of a name counts', async () => {
  const name = (i: number) => `base_model.model.vit.layers.${i}.attention.q_proj.lora_`
  const ones = (...shape: number[]): WritableTensor => ({
    ...zeros(...shape),
    dtype: 'F32',
    values: new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(1),
  })
  write(
    { config: {}, tensors: {} },
    {
      config: {
        peft_type: 'LORA',
        r: 4,
        lora_alpha: 6,
        use_rslora: true,
        target_modules: ['q_proj'],
        rank_pattern: { 'layers.1.attention.q_proj': 1, q_proj: 4 },
        alpha_pattern: { '1.attention.*': 5 },
      },
      tensors: {
        [`${name(0)}A.weight`]: ones(4, 12),
        [`${name(0)}B.weight`]: ones(12, 4),
        [`${name(1)}A.weight`]: ones(1, 12),
        [`${name(1)}B.weight`]: ones(12, 1),
      },
    },
  )
  const files = await readPeft(directory)
  expect(files.updates.map(({ rank, alpha, scale }) => [rank, alpha, scale])).toEqual([
    [4, 6, 3],
    [1, 5, 5],
  ])
  const { updates } = adapterOf(files, tinyVit, 10)
  const value = (i: number) => updates[`vit.encoder.layer.${i}.attention.attention.query.weight`]?.values[7]
  expect([value(0), value(1)]).toEqual([12, 5])
})

test.each(['', 'modules_to_save.'])(
  'a head that is saved whole takes the place of the model’s (%s)',
  async (infix) => {
    const head = (part: string) => `base_model.model.classifier.${infix}${part}`
    write(
      { config: {}, tensors: {} },
      {
        config: { peft_type: 'LORA', r: 4, target_modules: [], modules_to_save: ['classifier', 'score'] },
        tensors: {
          [head('weight')]: {
            ...zeros(3, 12),
            dtype: 'F32',
            values: Float32Array.from({ length: 36 }, (_, i) => i),
          },
          [head('bias')]: zeros(3),
        },
      },
    )
    const adapter = adapterOf(await readPeft(directory), tinyVit, 10)
    expect(adapter.classes).toBe(3)
    const merged = withAdapter(parametersFor(tinyVit), adapter, tinyVit)
    expect(merged['classifier.weight']?.shape).toEqual([12, 3])
    expect(merged['classifier.weight']?.values.slice(0, 4)).toEqual(Float32Array.of(0, 12, 24, 1))
  },
)

describe('what cannot be used is named', () => {
  const refusal = async (architecture: Architecture = tinyVit) => {
    const error: unknown = await readPeft(directory)
      .then((files) => adapterOf(files, architecture, 10))
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }

  test.each([
    [{ peft_type: 'IA3' }, 'the peft_type is "IA3", expected "LORA"'],
    [{ use_dora: true }, 'use_dora is true, and is not known here'],
    [{ lora_bias: true }, 'lora_bias is true'],
    [{ fan_in_fan_out: true }, 'fan_in_fan_out is true'],
    [{ layer_replication: [[0, 2]] }, 'layer_replication is [[0,2]]'],
    [{ trainable_token_indices: [1] }, 'trainable_token_indices is [1]'],
    [{ bias: 'all' }, 'bias is "all", expected "none"'],
    [{ init_lora_weights: 'pissa' }, 'init_lora_weights is "pissa", which changes the base'],
    [{ rank_pattern: { '(': 2 } }, 'rank_pattern: "(" is no regular expression'],
    [{ alpha_pattern: { '(?=q)q_proj': 2 } }, 'begins a lookaround'],
    [{ r: 0 }, 'is not as expected: r:'],
    [{ r: 3 }, 'are not of the rank 3 that adapter_config.json says'],
    [{ target_modules: ['q_proj'] }, 'is not among the target_modules'],
    [{ modules_to_save: ['layernorm_after'] }, 'which modules_to_save names, is missing'],
  ])('of adapter_config.json: %o', async (config, expected) => {
    write(filesOf(tinyVit), { config })
    expect(await refusal()).toContain(expected)
  })

  test('tensors that are missing, strange or of another shape or type', async () => {
    const q = 'base_model.model.vit.layers.0.attention.q_proj.lora_'
    const files = filesOf(tinyVit)
    write(files, {
      tensors: {
        [`${q}A.weight`]: undefined,
        'base_model.model.vit.layernorm.weight': zeros(12),
        'base_model.model.classifier.lora_A.weight': { dtype: 'I32', shape: [1], values: new Int32Array(1) },
      },
    })
    const message = await refusal()
    expect(message).toContain(`"${q}A.weight" is missing`)
    expect(message).toContain('"base_model.model.vit.layernorm.weight" is no part of an adapter')
    expect(message).toContain('has the type I32, expected F32, F16 or BF16')

    write(files, { tensors: { [`${q}A.weight`]: zeros(2, 13) } })
    expect(await refusal()).toContain(
      'lora_A of "vit.layers.0.attention.q_proj" has the shape [2, 13], expected [2, 12]',
    )
    write(files, { tensors: { [`${q}A.weight`]: undefined, [`${q}B.weight`]: undefined } })
    expect(await refusal()).toContain('the update of "vit.layers.0.attention.q_proj", which target_modules')
    expect(await refusal({ ...tinyVit, layers: 1 })).toContain(
      'the model has no layer "vit.layers.1.attention',
    )
  })

  test('files that are not there, a pickle, and what is no safetensors file', async () => {
    expect(await refusal()).toContain('adapter_config.json is missing')
    write(filesOf(tinyVit))
    const file = join(directory, 'adapter_model.safetensors')
    writeFileSync(file, readFileSync(file).subarray(0, 50))
    expect(await refusal()).toContain('not a safetensors file')
    rmSync(file)
    expect(await refusal()).toContain('adapter_model.safetensors is missing; expected')
    writeFileSync(join(directory, 'adapter_model.bin'), '')
    expect(await refusal()).toContain('adapter_model.bin is a pickle')
  })

  test('one of two heads alone', async () => {
    write(
      { config: {}, tensors: {} },
      {
        config: { peft_type: 'LORA', modules_to_save: ['cls_classifier'] },
        tensors: {
          'base_model.model.cls_classifier.weight': zeros(10, 12),
          'base_model.model.cls_classifier.bias': zeros(10),
        },
      },
    )
    expect(await refusal(distilled)).toContain('one of the heads cls_classifier and distillation_classifier')
  })
})
