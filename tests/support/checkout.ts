import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const leftOut = ['node_modules', 'built', '.git', '.zeroshift', 'tests', 'docs']

/** Copies this checkout, except for its tests and documents, into an empty directory. */
export function copyOfCheckout(copy: string): string {
  const skipped = new Set(leftOut.map((name) => join(root, name)))
  cpSync(root, copy, { recursive: true, filter: (path) => !skipped.has(path) })
  // The copy shares the installed packages.
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Replaces a text that is in a file once. */
export function edit(directory: string, file: string, from: string, to: string): void {
  const path = join(directory, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold ${JSON.stringify(from)} once`)
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
}
