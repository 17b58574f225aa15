import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A plug-in that is a copy of the method `delete`, without imports from the repository. */
export function copyOfDelete(): string {
  const source = readFileSync(new URL('../../unlearning/methods/delete.ts', import.meta.url), 'utf8')
  return source
    .replaceAll(/^import type .*\n/gm, '')
    .replaceAll(/^import \{ deleteAbout, deleteOptions \} .*\n/gm, '')
    .replaceAll(/ from '\..*'/g, " from 'zeroshift'")
    .replace('export default', `${OPTIONS}\nexport default`)
    .replaceAll(': Tensor1D', ': unknown')
    .replaceAll(': Tensor', ': unknown')
    .replace("name: 'delete'", "name: 'my-delete'")
    .replace('deleteAbout', "'a copy of delete'")
    .replace('deleteOptions', 'options')
}

const OPTIONS = `import { epochDefaults, z } from 'zeroshift'
const options = z.strictObject(epochDefaults(20, 128, { name: 'sgd', learningRate: 1e-4 }))`

/** A plug-in that returns the original and has some options. */
export const unchanged = `import { defineMethod, z } from 'zeroshift'

export default defineMethod({
  name: 'unchanged',
  about: 'returns the original',
  options: z
    .strictObject({
      strength: z.number().min(0).default(2).describe('of nothing'),
      mode: z.enum(['a', 'b']).default('a'),
      low: z.number().default(0),
      high: z.number().default(1),
    })
    .refine(({ low, high }) => low < high, { path: ['high'], message: 'a number above low' }),
  async unlearn({ original }) {
    return {
      weights: original,
      metrics: { trainable: 0, steps: 0, samplesUsed: { retained: 0, forget: 0 }, curve: [] },
    }
  },
})
`

/** A plug-in that is a score of attacks, with an option. */
export const scaledMargin = `import { defineScore, z } from 'zeroshift'

export default defineScore({
  name: 'scaled-margin',
  about: 'the logit of the label less the greatest other one',
  options: z.strictObject({ scale: z.number().gt(0).default(1).describe('of the margin') }),
  score: ({ values, labels, classes }, { scale }) =>
    Float64Array.from(labels, (label, i) => {
      const row = values.subarray(i * classes, (i + 1) * classes)
      const others = [...row].filter((_, k) => k !== label)
      return scale * ((row[label] ?? 0) - Math.max(...others))
    }),
})
`

/** A plug-in that is the target `retained-mean` of `rfa`, with an option. */
export const scaledMean = `import { defineTarget, tf, z } from 'zeroshift'

export default defineTarget({
  name: 'scaled-mean',
  about: 'a multiple of the mean of the features over the retained samples',
  options: z.strictObject({ scale: z.number().gt(0).default(1).describe('of the mean') }),
  target({ features }, random, { scale }) {
    const means = Object.fromEntries(
      Object.entries(features).map(([layer, feature]) => [
        layer,
        tf.tidy(() => feature.mean(0, true).mul(scale)),
      ]),
    )
    return (layer) => means[layer]
  },
})
`

/** A plug-in that reads lines of a label and four pixels, from files that end in .txt. */
export const lineReader = `import { defineReader, UserError, z } from 'zeroshift'

export default defineReader({
  name: 'lines',
  about: 'images of 2×2 pixels as lines of text',
  options: z.strictObject({ brightness: z.number().gt(0).max(1).default(1).describe('of all pixels') }),
  isDataFile: (name) => name.endsWith('.txt'),
  read(files, { brightness }) {
    const samples = (name) => {
      const text = new TextDecoder().decode(files.get(name))
      const rows = text.trim().split('\\n').map((line) => line.split(' ').map(Number))
      if (rows.some((row) => row.length !== 5)) throw new UserError(name + ' has a line without 5 numbers')
      return {
        images: Uint8Array.from(rows.flatMap(([, ...pixels]) => pixels.map((pixel) => pixel * brightness))),
        labels: rows.map(([label]) => label),
      }
    }
    return {
      shape: [2, 2, 1],
      classes: ['dark', 'bright', 'mixed'],
      train: samples('train.txt'),
      ...(files.has('test.txt') && { test: samples('test.txt') }),
      citation: 'A. Author, 2026',
    }
  },
})
`

/** Lines for `lineReader`: so many samples of three classes. */
export function lineSamples(count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const base = [20, 200, 90][i % 3] ?? 0
    return [i % 3, ...[0, 1, 2, 3].map((k) => base + ((i * 7 + k * 13) % 40))].join(' ')
  }).join('\n')
}

/** A plug-in that is a network of two convolutions, with an option. */
export const smallNet = `import { defineModel, z } from 'zeroshift'

export default defineModel({
  name: 'small-net',
  about: 'two convolutions and a linear layer',
  options: z.strictObject({ width: z.int().min(1).default(4).describe('channels') }),
  layers: ({ shape: [, , channels], classes }, { width }) => [
    { kind: 'conv', name: 'conv1', in: channels, out: width, kernel: 3, stride: 1, bias: false },
    { kind: 'batch-norm', name: 'norm1', channels: width },
    { kind: 'relu', name: 'relu1' },
    { kind: 'conv', name: 'conv2', in: width, out: width, kernel: 3, stride: 2, bias: true },
    { kind: 'relu', name: 'relu2' },
    { kind: 'global-average-pool', name: 'pool' },
    { kind: 'linear', name: 'head', in: width, out: classes },
  ],
})
`

/** Writes files into a folder, by their paths in it. Returns the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** A config on digits with these lines as its rows. */
export const configWith = (...rows: readonly string[]) => configOf({}, ...rows)

/** A config with other sections than the usual ones, and these lines as its rows. */
export const configOf = (
  { data = '{ name: digits }', model = '{ name: mlp, hidden: [4] }', more = '' },
  ...rows: readonly string[]
) => `name: plugged
data: ${data}
split: { kind: class, classes: [3] }
model: ${model}
training: { epochs: 1 }
gold: { models: 1 }
${more}methods:
${rows.map((row) => `  - ${row}\n`).join('')}`
