import { truncateSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { Checkpoints } from '../../../../artifacts/progress/checkpoints.ts'
import { testDirectory } from '../../../support/directories.ts'

let directory: string
let artifacts: Artifacts
let checkpoints: Checkpoints
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
  checkpoints = new Checkpoints(artifacts, { kind: 'train', key: 'k' })
})

const at = (step: number) => ({
  step,
  seconds: step / 2,
  vectors: { parameters: Float32Array.of(step, Math.PI), statistics: new Float32Array(0) },
  notes: { curve: [{ step, loss: 0.1 + 0.2, learningRate: 1e-3 }] },
})
const file = (path: string) => fileURLToPath(artifacts.store.locate(path))
const any = () => true

test('the newest comes back as it was; two are kept', async () => {
  for (const step of [9, 10, 100, 1000]) await checkpoints.save(at(step))
  expect(await checkpoints.newest(any)).toEqual(at(1000))
  expect(await artifacts.store.list('stages/train/k/checkpoints/')).toHaveLength(2)
})

test('a damaged one is deleted, and the one before it used', async () => {
  await checkpoints.save(at(1))
  truncateSync(file(await checkpoints.save(at(2))), 100)
  expect(await checkpoints.newest(any)).toEqual(at(1))
  const path = await checkpoints.save(at(3))
  const bytes = await artifacts.store.get(path)
  writeFileSync(file(path), bytes?.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)) ?? '')
  expect(await checkpoints.newest(any)).toEqual(at(1))
  expect(await artifacts.store.list('stages/train/k/checkpoints/')).toHaveLength(1)
})

test('one that does not fit is left alone', async () => {
  await checkpoints.save(at(1))
  await checkpoints.save({ ...at(2), tensorflow: { version: '2', device: 'GPU', threads: 1 } })
  expect((await checkpoints.newest(({ tensorflow }) => tensorflow === undefined))?.step).toBe(1)
  expect(await artifacts.store.list('stages/train/k/checkpoints/')).toHaveLength(2)
})
