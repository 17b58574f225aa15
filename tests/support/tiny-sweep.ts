import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A base whose stages take a tenth of a second each, and its gold model and original a second. */
export const tinyBase = `
name: tiny
data: { name: digits, validation: 0.1 }
split: { kind: class, classes: ['3'] }
model: { name: mlp, hidden: [16] }
training: { epochs: 2 }
methods:
  - { method: rfa, steps: 20 }
`

/** Writes `tiny.yaml` and `ranks.yaml`, a sweep over it; answers the path of the latter. */
export function writeSweep(directory: string, lines: string, base = tinyBase): string {
  const file = join(directory, 'ranks.yaml')
  writeFileSync(join(directory, 'tiny.yaml'), base)
  writeFileSync(file, `name: ranks\nbase: tiny.yaml\n${lines}\n`)
  return file
}
