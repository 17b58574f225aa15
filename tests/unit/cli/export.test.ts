import { readdirSync, readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { exportModel } from '../../../cli/actions/export.ts'
import { decodeTensors } from '../../../artifacts/format/safetensors.ts'
import type { RunInput } from '../../../experiment/records/run.ts'
import { computeRun, tinyRun } from '../../support/computed-run.ts'
import { fileDirectory, testDirectory } from '../../support/directories.ts'
import { captureOutput } from '../../support/output.ts'

let store: string
let run: RunInput
beforeAll(async () => {
  store = fileDirectory()
  run = await tinyRun(store)
  await computeRun(run)
})

async function exported(): Promise<string> {
  const out = join(testDirectory(), 'model')
  captureOutput('stdout')
  await exportModel(run.run.id, 'retrain', { out, store })
  return out
}

test('an export has weights in the layout of PyTorch, their loader, a card and digests', async () => {
  const out = await exported()
  expect(readdirSync(out).sort()).toEqual(
    ['README.md', 'SHA256SUMS', 'config.json', 'model.py', 'model.safetensors'].sort(),
  )
  const { tensors } = decodeTensors(readFileSync(join(out, 'model.safetensors')))
  expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual({
    'linear1.weight': [8, 64],
    'linear1.bias': [8],
    'head.weight': [10, 8],
    'head.bias': [10],
  })
  for (const line of readFileSync(join(out, 'SHA256SUMS'), 'utf8').trim().split('\n')) {
    const [digest, name = ''] = line.split('  ')
    expect(
      createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex'),
    ).toBe(digest)
  }
})

test('the card describes the forget set by its size and digest alone', async () => {
  const card = readFileSync(join(await exported(), 'README.md'), 'utf8')
  expect(card).toMatch(/\| samples \| \d+ forgotten, \d+ retained \|/)
  expect(card).toMatch(/\| SHA-256 of the list of forgotten samples \| `[0-9a-f]{64}` \|/)
  expect(card).toContain('| kind of forget set | class |')
  expect(card).toMatch(/\| retrain \| [\d.]+ \| [\d.]+ \|/)
})

test('two exports are the same bytes', async () => {
  const [one, two] = [await exported(), await exported()]
  expect(readFileSync(join(one, 'SHA256SUMS'), 'utf8')).toBe(readFileSync(join(two, 'SHA256SUMS'), 'utf8'))
})

test.each([
  ['an unknown method', { method: 'scrub', out: 'model' }, "has no method 'scrub'; it has retrain"],
  ['a folder that has files', { method: 'retrain', out: '.' }, 'is there already'],
])('%s is refused', async (_, { method, out }, message) => {
  await expect(exportModel(run.run.id, method, { out, store })).rejects.toThrow(message)
})
