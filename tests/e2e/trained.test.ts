import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { readSplit } from '../../activities/runtime/blob-codecs.ts'
import { readLogits } from '../../activities/stages/logits.ts'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors } from '../../artifacts/format/safetensors.ts'
import { evaluatedSets } from '../../experiment/records/measured.ts'
import { presentPeft } from '../../infra/peft.mjs'
import { stream } from '../../learning/random.ts'
import { answerOf, type Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'
import { configOf, tensorsOf, tinyResnet, writeCheckpoint } from '../support/tiny-checkpoint.ts'

/**
 * A trained checkpoint and 100 named images go in, and an unlearned checkpoint comes out, which
 * transformers loads with the same logits.
 */
const python = presentPeft()
const why = python === undefined ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''
const script = fileURLToPath(new URL('../integration/pretrained/models.py', import.meta.url))
const classes = ['bright', 'dark', 'even']
const EACH = 120

const stack = sharedStack()
let directory: string
beforeAll(async () => {
  directory = fileDirectory()
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(directory, 'pictures', name), { recursive: true })
    for (let i = 0; i < EACH; i++)
      writeFileSync(join(directory, 'pictures', name, `${i}.png`), await picture(label, i))
  }
  const head = { id2label: Object.fromEntries(classes.map((name, i) => [String(i), name])) }
  writeCheckpoint(join(directory, 'checkpoint'), tinyResnet, {
    tensors: tensorsOf(tinyResnet, classes.length),
    config: { ...configOf(tinyResnet), ...head },
  })
  writeFileSync(
    join(directory, 'forget.txt'),
    `# Withdrawn consent\n${Array.from({ length: 100 }, (_, i) => `${classes[i % 3] ?? ''}/${i}.png`).join('\n')}\n`,
  )
})

function picture(label: number, i: number): Promise<Buffer> {
  const random = stream(label, 'picture', i)
  const raw = Buffer.from(
    Array.from({ length: 8 * 8 * 3 }, () => {
      const value = ([200, 40, 120][label] ?? 0) + 40 * random.normal()
      return Math.max(0, Math.min(255, Math.round(value)))
    }),
  )
  return sharp(raw, { raw: { width: 8, height: 8, channels: 3 } })
    .png()
    .toBuffer()
}

const config = `
name: withdrawn
data: { name: image-folder, from: pictures, size: [8, 8], test: 0.2, validation: 0.1 }
split: { kind: names, file: forget.txt }
model: { name: pretrained }
original: { from: checkpoint }
training: { epochs: 1, batchSize: 32 }
gold: none
methods:
  - method: original
  - { method: lora-neggrad-plus, epochs: 1, batchSize: 32, rank: 2, layers: ['*.layer.1.convolution', 'classifier.1'] }
`

const cli = async (...args: readonly string[]): Promise<void> => {
  const { code, stderr } = await zeroshiftHereWith({}, directory, ...args)
  expect(code, stderr).toBe(0)
}

const run = async (...more: readonly string[]): Promise<Answer> => {
  const args = ['run', 'withdrawn.yaml', '--json', ...more]
  const { stdout, stderr, code } = await stack.here(directory, ...args)
  expect(code, stderr).toBe(0)
  return answerOf(stdout)
}

let id: string
test('100 named images are forgotten by the checkpoint itself, without gold', async () => {
  writeFileSync(join(directory, 'withdrawn.yaml'), config)
  const answer = await run()
  expect(answer).toMatchObject({ status: 'completed', failed: [] })
  id = answer.id
  const artifacts = openArtifacts(`file://${join(directory, '.zeroshift/store')}`)
  const { plan } = (await artifacts.run(id)) ?? {}
  if (!plan) throw new Error(`there is no run ${id}`)
  // No stage trains the original, and its weights are those of the file.
  expect((await artifacts.manifest<'train'>(plan.original))?.metrics.steps).toBe(0)
  // A tenth of the samples is set apart for validation and a fifth for tests, but none of the 100.
  expect((await artifacts.manifest<'split'>(plan.split))?.metrics).toMatchObject({
    forget: 100,
    test: 36,
    validation: 29,
  })
  const page = readFileSync(join(directory, `.zeroshift/store/runs/${id}/report/index.html`), 'utf8')
  expect(page).toContain('the 100 training samples named in forget.txt')
  expect(page).toContain('The original was not trained here.')
  // The place of the checkpoint is of this machine alone.
  expect(page).not.toContain(directory)
})

test('the run is verified with the checkpoint that its record names', async () => {
  const { code, stdout, stderr } = await stack.here(directory, 'verify', id, '--json')
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ status: 'verified' })
})

test('names that are wrong are refused with the nearest one, before anything starts', async () => {
  writeFileSync(join(directory, 'wrong.txt'), 'dark/4.png\ndurk/7.png\n')
  const args = ['run', 'withdrawn.yaml', '-S', 'split.file=wrong.txt']
  const { code, stderr } = await zeroshiftHereWith({}, directory, ...args)
  expect(code).toBe(2)
  expect(stderr).toContain('wrong.txt:2:1: there is no sample "durk/7.png"; did you mean "dark/7.png"?')
})

test('the warning is red where gold starts from the checkpoint of the original', async () => {
  const { id: other } = await run('-S', 'gold={"models":1}')
  const page = readFileSync(join(directory, `.zeroshift/store/runs/${other}/report/index.html`), 'utf8')
  expect(page).toContain('Gold may have seen the forget set.')
})

test('the adapter and both checkpoints of it are judged as rows, with the figures of the method', async () => {
  await cli('export', id.slice(0, -3), 'lora-neggrad-plus', '--out', 'unlearned')
  await cli('adapter', 'export', id, '--out', 'parts')
  await cli('adapter', 'merge', 'parts/adapter', '--base', 'parts/base', '--out', 'merged')
  const places = ['parts/adapter', 'merged', 'unlearned']
  const rows = places.map((from, i) => `  - { method: weights, label: place ${i}, from: ${from} }\n`)
  writeFileSync(join(directory, 'withdrawn.yaml'), `${config}${rows.join('')}`)
  const { failed, results } = await run()
  expect(failed).toEqual([])
  const [own, ...others] = results.slice(1).map(({ metrics: { ra, ua, ta } }) => ({ ra, ua, ta }))
  expect(own?.ra).toBeGreaterThan(0)
  expect(others).toEqual([own, own, own])
  // They have no time, and the report gives the reason.
  expect(results.slice(2).map(({ metrics }) => metrics.rte)).toEqual([null, null, null])
})

test('a checkpoint that was trained with the statistics of other data is refused', async () => {
  writeFileSync(join(directory, 'withdrawn.yaml'), `${config}  - { method: weights, from: merged }\n`)
  const { failed, results } = await run('-S', 'data.test=0.3')
  expect(failed).toMatchObject([
    { title: 'take weights', reason: expect.stringContaining('normalises images by mean [') as string },
  ])
  expect(results.at(-1)?.metrics.ra).toBeNull()
})

test.skipIf(python === undefined)(
  `transformers loads the unlearned checkpoints, which give the logits of the run within 1e-5${why}`,
  async () => {
    const { logits, names } = await evaluated('lora-neggrad-plus')
    const largest = Math.max(...logits.map(Math.abs))
    expect(names).toHaveLength(3 * EACH)
    for (const place of ['unlearned', 'merged']) {
      const theirs = await transformersLogits(place, names)
      const furthest = Math.max(...logits.map((value, i) => Math.abs(value - (theirs[i] ?? NaN))))
      expect(furthest, place).toBeLessThanOrEqual(1e-5 * largest)
    }
    const original = await evaluated('original')
    const change = Math.max(...logits.map((value, i) => Math.abs(value - (original.logits[i] ?? NaN))))
    expect(change).toBeGreaterThan(1e-3 * largest)
  },
)

/** The logits of a row that the run has stored, and the names of their images. */
async function evaluated(label: string): Promise<{ logits: readonly number[]; names: readonly string[] }> {
  const artifacts = openArtifacts(`file://${join(directory, '.zeroshift/store')}`)
  const { plan } = (await artifacts.run(id)) ?? {}
  const row = plan?.candidates.find((one) => one.label === label)
  const manifest = row && (await artifacts.manifest<'evaluate'>(row.evaluate))
  const split = plan && (await artifacts.manifest<'split'>(plan.split))
  if (!manifest || !split) throw new Error(`the run ${id} has no results of ${label}`)
  const args = ['data', 'inspect', 'withdrawn.yaml', '--names', '--json']
  const { samples } = JSON.parse((await zeroshiftHereWith({}, directory, ...args)).stdout) as {
    readonly samples: readonly { readonly index: number; readonly name: string }[]
  }
  const nameOf = new Map(samples.map(({ index, name }) => [index, name]))
  const [indices, logits] = [await readSplit(artifacts, split), await readLogits(artifacts, manifest)]
  return {
    logits: evaluatedSets.flatMap((set) => [...logits[set].values]),
    names: evaluatedSets.flatMap((set) => [...indices[set]].map((index) => nameOf.get(index) ?? '')),
  }
}

/** The logits that transformers computes for images, normalised as the checkpoint states. */
async function transformersLogits(place: string, names: readonly string[]): Promise<Float32Array> {
  const { image_mean: mean, image_std: deviation } = JSON.parse(
    readFileSync(join(directory, place, 'preprocessor_config.json'), 'utf8'),
  ) as { readonly image_mean: readonly number[]; readonly image_std: readonly number[] }
  const values = new Float32Array(names.length * 3 * 64)
  for (const [n, name] of names.entries()) {
    const pixels = await sharp(join(directory, 'pictures', name))
      .raw()
      .toBuffer()
    pixels.forEach((value, i) => {
      const channel = i % 3
      values[(n * 3 + channel) * 64 + Math.floor(i / 3)] =
        (value / 255 - (mean[channel] ?? NaN)) / (deviation[channel] ?? NaN)
    })
  }
  const [input, output] = [join(directory, 'pixels.safetensors'), join(directory, 'logits.safetensors')]
  const pixel_values = { dtype: 'F32', shape: [names.length, 3, 8, 8], values } as const
  writeFileSync(input, encodeTensors({ pixel_values }))
  execFileSync(python ?? '', [script], {
    input: `${JSON.stringify(['logits', join(directory, place), input, output])}\n`,
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
    stdio: 'pipe',
  })
  const { logits } = decodeTensors(readFileSync(output)).tensors
  if (logits?.dtype !== 'F32') throw new Error('transformers gave no logits')
  return logits.values
}
