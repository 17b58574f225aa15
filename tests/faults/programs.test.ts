import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { prepare } from '../../cli/launch/prepare.ts'
import { readConfig } from '../../cli/launch/read-config.ts'
import { storePrograms } from '../../cli/launch/store-programs.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import {
  blobsOf,
  checkpointSeconds,
  ended,
  heartbeatSeconds,
  running,
  Site,
  until,
  type Handle,
} from '../support/durable.ts'
import { fileDirectory } from '../support/directories.ts'
import { processesOf } from '../support/command.ts'

const fixtures = fileURLToPath(new URL('../fixtures/programs/node', import.meta.url))

let site: Site
beforeEach(async () => {
  site = await new Site().open()
})
afterEach(() => site.close())

/**
 * A run whose original and methods are computed in steps by a program, with a pause after each
 * step. `before` is a shell command that is executed beside the program.
 */
async function programRun(pause: number, store: string, before = ''): Promise<RunInput> {
  const directory = fileDirectory()
  cpSync(fixtures, directory, { recursive: true })
  const program = `command: "${before}node centroids.mjs", predict: node centroids.mjs, files: ['*.mjs'], options: { steps: 12, pause: ${pause} }`
  const config = join(directory, 'config.yaml')
  writeFileSync(
    config,
    `name: stepping
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: external, ${program} }
gold: { models: 1 }
methods:
  - method: retrain
  - { method: external, label: again, ${program} }
`,
  )
  const source = { config, overrides: [], store }
  const input = await prepare(source, await readConfig(source))
  await storePrograms(openArtifacts(input.settings.store), input)
  return { ...input, settings: { ...input.settings, checkpointSeconds, heartbeatSeconds } }
}

/** Waits until a stage with this title has reported a step. */
async function stepOf(handle: Handle, { run }: RunInput, title: string) {
  const key = stagesOf(run.plan).find((stage) => stage.title === title)?.key
  return until(`a step of '${title}'`, async () =>
    (await running(handle)).find((attempt) => attempt.key === key && (attempt.step ?? 0) >= 2),
  )
}

/** Kills the processes of the system whose command line contains a text. */
function killAll(text: string): void {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  for (const line of lines) if (line.includes(text)) process.kill(Number.parseInt(line), 'SIGKILL')
}

test('SIGKILL of the worker and of the program: both go on from a checkpoint, to the same bytes', async () => {
  const quick = await programRun(0, join(site.directory, 'quick'))
  const slow = await programRun(300, join(site.directory, 'slow'))
  let worker = await site.worker()
  await (await site.start(quick)).result()
  const expected = await blobsOf(openArtifacts(quick.settings.store), quick)

  const handle = await site.start(slow)
  await stepOf(handle, slow, 'train original')
  const artifacts = openArtifacts(slow.settings.store)
  const { original } = slow.run.plan
  const saved = () => artifacts.store.list(`stages/train/${original.key}/checkpoints/`)
  await until('a checkpoint of the original', async () => (await saved()).length > 0)
  worker.kill('SIGKILL')
  await ended(worker)
  await until('the end of its programs', () => processesOf('node centroids.mjs').length === 0)
  worker = await site.worker()
  const resumed = await until('the next attempt', async () =>
    (await running(handle)).find(({ key, resumedAt }) => key === original.key && resumedAt !== undefined),
  )
  expect(resumed.resumedAt).toBeGreaterThan(0)

  await stepOf(handle, slow, 'unlearn by again')
  killAll('node centroids.mjs')
  await handle.result()
  expect(await blobsOf(artifacts, slow)).toEqual(expected)
})

test('cancelling ends every process of the program', async () => {
  const mark = '98765.4321'
  const input = await programRun(300, join(site.directory, 'store'), `sleep ${mark} & `)
  await site.worker()
  const handle = await site.start(input)
  await stepOf(handle, input, 'train original')
  expect(processesOf(`sleep ${mark}`).length).toBeGreaterThan(0)
  await handle.cancel()
  await expect(handle.result()).rejects.toThrow()
  await until('the end of its processes', () => processesOf(`sleep ${mark}`).length === 0)
})
