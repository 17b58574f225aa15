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

/** Writes files into a folder, by their paths in it. Returns the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** A config on digits with these lines as its rows. */
export const configWith = (...rows: readonly string[]) => `name: plugged
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: mlp, hidden: [4] }
training: { epochs: 1 }
gold: { models: 1 }
methods:
${rows.map((row) => `  - ${row}\n`).join('')}`
