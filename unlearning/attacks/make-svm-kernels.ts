/**
 * Compiles svm-kernels.wat and writes svm-kernels.ts:
 *
 *     npx tsx unlearning/attacks/make-svm-kernels.ts
 *
 * The compiled code is part of a module, so that the digest of the code of a stage covers it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import loadWabt from 'wabt'

const beside = (name: string) => new URL(name, import.meta.url)

/** Returns the text of svm-kernels.ts. */
export async function svmKernelsModule(): Promise<string> {
  const wabt = await loadWabt()
  const text = readFileSync(beside('svm-kernels.wat'), 'utf8')
  const { buffer } = wabt.parseWat('svm-kernels.wat', text).toBinary({})
  return `/** svm-kernels.wat as WebAssembly in base64, written by make-svm-kernels.ts. */
export const svmKernels =
  '${Buffer.from(buffer).toString('base64')}'
`
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(beside('svm-kernels.ts'), await svmKernelsModule())
