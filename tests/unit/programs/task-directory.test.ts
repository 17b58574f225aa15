import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CONTRACT_VERSION, progressLineSchema, taskSchema } from '../../../programs/contract.ts'
import { packFolder } from '../../../programs/folder.ts'
import { progressOf } from '../../../programs/progress-line.ts'
import { decodeNpy, integersOf } from '../../../datasets/npy.ts'
import { taskDirectory, writeTaskDirectory, type TaskInput } from '../../../programs/task-directory.ts'
import { testDirectory } from '../../support/directories.ts'
import { goldenTasks, tinyData, trainTask, unlearnTask } from '../../support/tasks.ts'

const GOLDEN = join(import.meta.dirname, '../../fixtures/programs/golden')

/** The files in a folder by their path, as latin1 text, so that differences are shown. */
function filesIn(folder: string): Readonly<Record<string, string>> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = paths.filter((path) => statSync(join(folder, path)).isFile())
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(folder, path), 'latin1')]))
}

async function written(input: TaskInput): Promise<string> {
  const directory = testDirectory()
  await writeTaskDirectory(directory, input)
  return directory
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown

test.each(Object.entries(goldenTasks))(
  'the golden directory of the task %s is what the code writes: run `npx tsx tests/reference/make_tasks.ts` where it is not, ' +
    'and raise the version of the contract if programs would not work any more',
  async (task, input) => {
    expect(filesIn(await written(input))).toEqual(filesIn(join(GOLDEN, task)))
    const found = json(join(GOLDEN, task, 'task/task.json'))
    expect(taskSchema.parse(found)).toEqual(found)
    expect(found).toMatchObject({ contract: CONTRACT_VERSION, task })
  },
)

test('all lines of the golden example are progress', () => {
  const lines = readFileSync(join(GOLDEN, 'progress.jsonl'), 'utf8').trim().split('\n')
  for (const line of lines)
    expect(progressOf(line, false)).toEqual(progressLineSchema.parse(JSON.parse(line)))
  const keys = lines.flatMap((line) => Object.keys(JSON.parse(line) as object))
  expect(new Set(keys)).toEqual(new Set(Object.keys(progressLineSchema.shape)))
})

test('no program gets the label of a test sample', async () => {
  const { taskFile } = taskDirectory(await written(unlearnTask()))
  const labels = decodeNpy(readFileSync(join(taskFile, '../data/labels.npy')))
  expect(integersOf(labels)).toEqual([0, 1, 2, 0, -1, -1])
})

test('index sets are ascending', async () => {
  const { taskFile } = taskDirectory(
    await written({ ...trainTask(), sets: { train: Int32Array.of(3, 0, 2) } }),
  )
  const set = decodeNpy(readFileSync(join(taskFile, '../sets/train.npy')))
  expect(integersOf(set)).toEqual([0, 2, 3])
})

test('images come in pieces of any length', async () => {
  const { data } = trainTask()
  const [all] = tinyData.images
  const pieces = async function* () {
    yield await Promise.resolve(all.subarray(0, 5))
    yield all.subarray(5)
  }
  const directory = await written({ ...trainTask(), data: { ...data, images: pieces() } })
  expect(filesIn(directory)).toEqual(filesIn(await written(trainTask())))
})

test('a wrong number of bytes of images is refused', async () => {
  const input = { ...trainTask(), data: { ...trainTask().data, samples: 5 } }
  await expect(written(input)).rejects.toThrow('the images have 24 bytes, expected 20 for 5 samples')
})

test('the checkpoint of an earlier attempt is there', async () => {
  const first = taskDirectory(await written(trainTask()))
  await writeTaskDirectory(join(first.checkpoints, 'step-2'), trainTask({ 'state.txt': 'half' }))
  const packed = await packFolder(first.checkpoints, { mostBytes: 1e6, only: 'step-2' })
  const second = taskDirectory(await written({ ...trainTask(), resume: { name: 'step-2', packed } }))
  expect(json(second.taskFile)).toMatchObject({ resume: 'checkpoints/step-2' })
  expect(readFileSync(join(second.checkpoints, 'step-2/program/state.txt'), 'utf8')).toBe('half')
})
