import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { stream } from '../../learning/random.ts'
import type { Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { sharedStack } from '../support/shared-stack.ts'

/**
 * An experiment on a folder of pictures, from the files to the report. A second run in another
 * place finds all facts known.
 */
const stack = sharedStack()
let directory: string
beforeAll(async () => {
  directory = fileDirectory()
  for (const [label, name] of ['bright', 'dark', 'even'].entries()) {
    mkdirSync(join(directory, 'pictures', name), { recursive: true })
    for (let i = 0; i < 60; i++)
      writeFileSync(
        join(directory, 'pictures', name, `${i}.${i % 2 ? 'png' : 'jpg'}`),
        await picture(label, i),
      )
  }
})

/** Classes differ in brightness; sizes differ too. */
function picture(label: number, i: number): Promise<Buffer> {
  const random = stream(label, 'picture', i)
  const [width, height] = [12 + random.integer(8), 12 + random.integer(8)]
  const raw = Buffer.from(
    Array.from({ length: width * height * 3 }, () =>
      Math.max(0, Math.min(255, [200, 40, 120][label] ?? 0) + 20 * random.normal()),
    ).map((value) => Math.min(255, Math.round(value))),
  )
  const image = sharp(raw, { raw: { width, height, channels: 3 } })
  return (i % 2 ? image.png() : image.jpeg()).toBuffer()
}

const config = (from: string) => `
name: folder
data: { name: image-folder, from: ${from}, size: [8, 8], test: 0.3, citation: 'A. Painter. Three shades, 2026.' }
split: { kind: class, classes: [dark] }
model: { name: cnn, channels: [4, 8], hidden: 16 }
training: { epochs: 4, batchSize: 20, optimizer: { name: adam, learningRate: 0.01 } }
methods:
  - method: retrain
  - { method: rfa, layers: [head], rank: 2, steps: 5, forgetBatch: 8, retainedBatch: 16 }
`

async function run(from: string): Promise<Answer> {
  writeFileSync(join(directory, 'folder.yaml'), config(from))
  const { stdout } = await stack.here(directory, 'run', 'folder.yaml', '--json')
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer
}

test('an experiment on a folder of images completes, and from another place everything is known', async () => {
  const first = await run('pictures')
  expect(first.status).toBe('completed')
  expect(first.stages.computed).toBeGreaterThan(5)
  expect(first.results[0]?.metrics.ta).toBeGreaterThan(80)

  const folder = fileURLToPath(first.report)
  const [html, json] = ['index.html', 'report.json'].map((name) => readFileSync(join(folder, name), 'utf8'))
  expect(html).toContain('A. Painter. Three shades, 2026.')
  expect(html).toContain('180 images')
  expect(json).not.toContain('pictures')

  renameSync(join(directory, 'pictures'), join(directory, 'moved'))
  const second = await run('./moved')
  expect(second).toMatchObject({ id: first.id, status: 'completed', stages: { computed: 0 } })
})

test('a folder with a mistake is refused before any work, with the line that names it', async () => {
  writeFileSync(join(directory, 'moved/even/7.png'), 'no image')
  writeFileSync(join(directory, 'folder.yaml'), config('moved'))
  const { stderr, code } = await stack.here(directory, 'run', 'folder.yaml', '--json')
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /folder\.yaml:3:35: .*even\/7\.png cannot be decoded: it is cut, damaged or no image/,
  )
})
