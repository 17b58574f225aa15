import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { presentPeft } from '../../infra/peft.mjs'
import { stream } from '../../learning/random.ts'
import { zeroshift, type Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { configOf, tensorsOf, tinyResnet, writeCheckpoint } from '../support/tiny-checkpoint.ts'

/**
 * A trained checkpoint and 100 named images go in, and a checkpoint without them comes out, which
 * transformers loads.
 */
const python = presentPeft()
const why = python === undefined ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''
const classes = ['bright', 'dark', 'even']
const EACH = 120

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

const run = async (...more: readonly string[]): Promise<Answer> => {
  const { stdout, stderr, code } = await zeroshift(directory, 'run', 'withdrawn.yaml', '--json', ...more)
    .ended
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer
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
  const { code, stdout, stderr } = await zeroshift(directory, 'verify', id, '--json').ended
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ status: 'verified' })
})

test('names that are wrong are refused with the nearest one, before anything starts', async () => {
  writeFileSync(join(directory, 'wrong.txt'), 'dark/4.png\ndurk/7.png\n')
  const { code, stderr } = await zeroshift(directory, 'run', 'withdrawn.yaml', '-S', 'split.file=wrong.txt')
    .ended
  expect(code).toBe(2)
  expect(stderr).toContain('wrong.txt:2:1: there is no sample "durk/7.png"; did you mean "dark/7.png"?')
})

test('the warning is red where gold starts from the checkpoint of the original', async () => {
  const { id: other } = await run('-S', 'gold={"models":1}')
  const page = readFileSync(join(directory, `.zeroshift/store/runs/${other}/report/index.html`), 'utf8')
  expect(page).toContain('Gold may have seen the forget set.')
})

test('the adapter and the merged checkpoint are judged as rows, with the figures of the method', async () => {
  const cli = async (...args: readonly string[]) => {
    const { code, stderr } = await zeroshift(directory, 'adapter', ...args).ended
    expect(code, stderr).toBe(0)
  }
  await cli('export', id, '--out', 'exported')
  await cli('merge', 'exported/adapter', '--base', 'exported/base', '--out', 'unlearned')
  const rows = ['exported/adapter', 'unlearned'].map(
    (from, i) => `  - { method: weights, label: from elsewhere ${i + 1}, from: ${from} }\n`,
  )
  writeFileSync(join(directory, 'withdrawn.yaml'), `${config}${rows.join('')}`)
  const { failed, results } = await run()
  expect(failed).toEqual([])
  const [own, ...others] = results.slice(1).map(({ metrics: { ra, ua, ta } }) => ({ ra, ua, ta }))
  expect(own?.ra).toBeGreaterThan(0)
  expect(others).toEqual([own, own])
  // Neither has a time, and the report gives the reason.
  expect(results.slice(2).map(({ metrics }) => metrics.rte)).toEqual([null, null])
})

test.skipIf(python === undefined)(`transformers loads the unlearned checkpoint${why}`, () => {
  const script = `
from transformers import AutoModelForImageClassification
model, info = AutoModelForImageClassification.from_pretrained("${join(directory, 'unlearned')}", output_loading_info=True)
print(sorted(info["missing_keys"]), sorted(info["unexpected_keys"]), model.config.num_labels)
`
  const env = { ...process.env, HF_HUB_OFFLINE: '1' }
  const said = execFileSync(python ?? '', ['-c', script], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  expect(said.trim()).toBe('[] [] 3')
})
