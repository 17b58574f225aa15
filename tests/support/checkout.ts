import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const leftOut = ['node_modules', '.git', '.zeroshift', 'tests', 'docs']

/** A copy of this checkout that a test may edit. It shares the installed packages. */
export function copyOfCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), 'zeroshift-checkout-'))
  const skipped = new Set(leftOut.map((name) => join(root, name)))
  cpSync(root, copy, { recursive: true, filter: (path) => !skipped.has(path) })
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
