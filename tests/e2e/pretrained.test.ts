import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'
import { tinyResnet, tinyVit, writeCheckpoint } from '../support/tiny-checkpoint.ts'

/**
 * Experiments on pre-trained models: checkpoints that the test writes, and the digits that
 * Zeroshift ships.
 */
const stack = sharedStack()
let directory: string
beforeAll(() => {
  directory = fileDirectory()
  writeCheckpoint(join(directory, 'vit'), tinyVit, {
    preprocessor: { image_processor_type: 'ViTImageProcessor', size: 8 },
  })
  writeCheckpoint(join(directory, 'resnet'), tinyResnet)
})

const config = (name: string, tune = '') => `
name: ${name}
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: pretrained, from: ${name} }
training:
  epochs: 2
  batchSize: 64
  optimizer: { name: adam, learningRate: 0.005 }
  ${tune}
methods:
  - { method: retrain }
  - { method: rfa, rank: 2, layers: ['${name === 'vit' ? '*.query' : '*.layer.1.convolution'}', classifier*], steps: 5 }
`

interface Answer {
  readonly id: string
  readonly status: string
  readonly failed: readonly unknown[]
  readonly stages: { readonly computed: number; readonly cached: number }
}

async function run(name: string, tune?: string, ...more: readonly string[]): Promise<Answer> {
  const file = join(directory, `${name}.yaml`)
  writeFileSync(file, config(name, tune))
  const { stdout, stderr, code } = await stack.here(directory, 'run', file, '--json', ...more)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer
}

const store = () => openArtifacts(`file://${join(directory, '.zeroshift/store')}`)
const trained = async (id: string) => {
  const { plan } = (await store().run(id)) ?? {}
  if (!plan) throw new Error(`there is no run ${id}`)
  return [plan.original, ...plan.gold]
}

test('original and gold start from the checkpoint, whose place is in no key', async () => {
  const first = await run('vit')
  expect(first).toMatchObject({ status: 'completed', failed: [] })
  const stages = await trained(first.id)
  expect(stages).toHaveLength(3)
  const starts = stages.map(({ inputs }) => inputs.checkpoint?.key)
  expect(new Set(starts)).toHaveLength(1)
  expect(starts[0]).toMatch(/^[0-9a-f]{64}$/)

  // The same files elsewhere are the same checkpoint.
  writeCheckpoint(join(directory, 'moved'), tinyVit, {
    preprocessor: { image_processor_type: 'ViTImageProcessor', size: 8 },
  })
  const second = await run('vit', undefined, '-S', 'model.from=moved')
  expect(second).toMatchObject({ id: first.id, stages: { computed: 0 } })
})

test("a run's adapter goes out, says what was forgotten by digests alone, and is applied to images", async () => {
  const { id } = await run('vit')
  const cli = (...args: readonly string[]) => zeroshiftHereWith({}, directory, 'adapter', ...args)
  const exported = await cli('export', id, '--out', 'exported')
  expect(exported.code, exported.stderr).toBe(0)
  const again = await cli('export', id, '--out', 'exported')
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('exported is there already, and nothing is overwritten')
  const unknown = await cli('export', id, 'scrub', '--out', 'other')
  expect(unknown.stderr).toContain('has no adapter "scrub"; it has rfa')

  const inspected = await cli('inspect', 'exported/adapter', '--base', 'exported/base', '--json')
  expect(inspected.code, inspected.stderr).toBe(0)
  const found = JSON.parse(inspected.stdout) as {
    readonly layers: readonly object[]
    readonly relativeSize: { readonly value: number }
    readonly metadata: Readonly<Record<string, string>>
  }
  expect(found.layers).toHaveLength(3)
  expect(found.layers[0]).toMatchObject({ name: 'classifier', rank: 2, scale: 1, parameters: 44 })
  expect(found.relativeSize.value).toBeGreaterThan(0)

  const { plan } = (await store().run(id)) ?? {}
  const split = plan && (await store().manifest(plan.split))
  const original = plan && (await store().manifest(plan.original))
  expect(found.metadata).toEqual({
    format: 'pt',
    'zeroshift.method': 'rfa',
    'zeroshift.forgotten': split?.outputs.split?.sha256,
    'zeroshift.original': original?.outputs.model?.sha256,
  })
  // No other field could hold an index, a file's name or a class's.
  const config = JSON.parse(
    readFileSync(join(directory, 'exported/adapter/adapter_config.json'), 'utf8'),
  ) as object
  expect(Object.keys(config).sort()).toEqual([
    'base_model_name_or_path',
    'bias',
    'fan_in_fan_out',
    'inference_mode',
    'lora_alpha',
    'lora_dropout',
    'peft_type',
    'r',
    'target_modules',
    'task_type',
    'use_rslora',
  ])
  expect(config).toMatchObject({ base_model_name_or_path: null, task_type: null })

  const images = join(directory, 'images')
  mkdirSync(images)
  for (const level of [40, 200])
    await sharp({ create: { width: 20, height: 14, channels: 3, background: { r: level, g: 90, b: 10 } } })
      .png()
      .toFile(join(images, `${level}.png`))
  writeFileSync(join(images, 'broken.jpg'), 'no image')
  const applied = await cli('apply', 'exported/adapter', 'images', '--base', 'exported/base', '--json')
  expect(applied.code).toBe(1)
  expect(applied.stderr).toContain('images/broken.jpg cannot be decoded')
  const { images: lines } = JSON.parse(applied.stdout) as {
    images: readonly {
      image: string
      error?: string
      with?: { confidence: number }
      without?: { confidence: number }
    }[]
  }
  expect(lines.map(({ image }) => image)).toEqual(['images/200.png', 'images/40.png', 'images/broken.jpg'])
  expect(lines[0]?.with?.confidence).toBeGreaterThan(0.1)
  expect(lines[0]?.with?.confidence).not.toBe(lines[0]?.without?.confidence)
})

test("the export of a method's model is the original with its adapter merged, as transformers loads it", async () => {
  const { id } = await run('vit')
  for (const words of [
    ['export', id, 'rfa', '--out', 'model'],
    ['adapter', 'export', id, '--out', 'parts'],
    ['adapter', 'merge', 'parts/adapter', '--base', 'parts/base', '--out', 'merged'],
  ]) {
    const { code, stderr } = await zeroshiftHereWith({}, directory, ...words)
    expect(code, stderr).toBe(0)
  }
  expect(readdirSync(join(directory, 'model')).sort()).toEqual(
    ['README.md', 'SHA256SUMS', 'config.json', 'model.safetensors', 'preprocessor_config.json'].sort(),
  )
  const tensorsOf = (name: string) =>
    decodeTensors(readFileSync(join(directory, name, 'model.safetensors'))).tensors
  const [exported, merged] = [tensorsOf('model'), tensorsOf('merged')]
  expect(Object.keys(exported)).toEqual(Object.keys(merged))
  for (const [name, { values }] of Object.entries(merged))
    values.forEach((value, i) => {
      expect(exported[name]?.values[i], name).toBeCloseTo(value, 5)
    })
})

test('a residual network, of which adapters alone are trained, keeps its statistics', async () => {
  const { id, status } = await run('resnet', 'tune: { what: lora, rank: 2 }')
  expect(status).toBe('completed')
  const [original] = await trained(id)
  const record = await store().manifest({ kind: 'train', key: original?.key ?? '' })
  expect(record?.metrics).toMatchObject({ steps: 38 })
  const page = readFileSync(join(directory, `.zeroshift/store/runs/${id}/report/index.html`), 'utf8')
  // The architecture and the files by their hashes; a directory is of this machine alone.
  expect(page).toContain('pretrained: block basic')
  expect(page).toContain('model.safetensors')
  expect(page).not.toContain('from resnet')
})

test('a checkpoint that is wrong is refused, at its place in the config, before anything starts', async () => {
  writeCheckpoint(join(directory, 'vit'), tinyVit, { config: { model_type: 'vit', hidden_size: 13 } })
  const { code, stderr } = await zeroshiftHereWith({}, directory, 'run', 'vit.yaml')
  expect(code).toBe(2)
  expect(stderr).toMatch(/vit\.yaml:\d+:\d+: .*hidden_size 13 is no multiple of num_attention_heads 12/)
})
