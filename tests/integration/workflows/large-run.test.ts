import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { runId, recordOf, type RunInput, type RunResult } from '../../../experiment/records/run.ts'
import type { StoredInput } from '../../../experiment/plan/run-parts.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { npy, zip } from '../../support/archives.ts'
import { answerOf, zeroshiftWith } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { recording } from '../../support/recording.ts'
import { forFile } from '../../support/release.ts'
import { sampleRun } from '../../support/run.ts'
import { temporalServer, type TestTemporal, withWorker } from '../../support/temporal.ts'

let directory: string
let server: TestTemporal
beforeAll(async () => {
  directory = fileDirectory()
  server = await forFile(temporalServer())
})

const SAMPLES = 220_000
const FORGOTTEN = 200_000

test(
  'a run whose plan is larger than any message of Temporal is started, stopped, resumed and finished',
  { timeout: 900_000 },
  async () => {
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data/large.npz'), largeData())
    const indices = Array.from({ length: FORGOTTEN }, (_, i) => i)
    writeFileSync(join(directory, 'forget.txt'), `${indices.join('\n')}\n`)
    writeFileSync(
      join(directory, 'large.yaml'),
      `name: large
data: { name: npz, from: data }
split: { kind: indices, file: forget.txt }
model: { name: mlp, hidden: [2] }
training: { epochs: 1, batchSize: 8192 }
gold: { models: 1 }
attack: { samples: 100 }
methods:
  - method: retrain
  - { method: finetune, epochs: 1 }
`,
    )
    const env = { TEMPORAL_ADDRESS: server.address, ZEROSHIFT_STORE: join(directory, 'store') }
    const dry = await zeroshiftWith(env, directory, 'run', 'large.yaml', '--dry-run', '--json').ended
    expect([dry.code, dry.stderr]).toEqual([0, expect.any(String)])
    const { id } = answerOf(dry.stdout)
    await withWorker(server.address, createActivities(), async () => {
      const first = zeroshiftWith(env, directory, 'run', 'large.yaml', '--json')
      await first.says('train ')
      first.child.kill('SIGINT')
      expect(answerOf((await first.ended).stdout)).toMatchObject({ id, status: 'cancelled' })
      expect(readFileSync(join(directory, 'store/runs', id, 'run.json')).length).toBeGreaterThan(4_000_000)

      const { code, stdout, stderr } = await zeroshiftWith(env, directory, 'resume', id, '--json').ended
      expect([code, stderr]).toEqual([0, expect.any(String)])
      const answer = answerOf(stdout)
      expect(answer).toMatchObject({ id, status: 'completed', failed: [] })
      expect(answer.stages.cached).toBeGreaterThan(0)
    })
    const record = await openArtifacts(join(directory, 'store')).run(id)
    const split = record && (await openArtifacts(join(directory, 'store')).manifest(record.plan.split))
    expect(split?.metrics.forget).toBe(FORGOTTEN)
  },
)

test('a run of more stages than fit into one payload is read in pieces and finished', async () => {
  const { spec, facts } = sampleRun().run
  const many = specSchema.parse({
    ...spec,
    name: 'many',
    seeds: 10,
    methods: [
      { method: 'retrain' },
      ...Array.from({ length: 42 }, (_, i) => ({ method: 'finetune', epochs: i + 1, label: `f${i}` })),
    ],
  })
  const planned = plan(many, facts)
  const store = join(directory, 'many')
  const id = runId('many', planned)
  const command = { config: 'many.yaml', overrides: [] }
  const input: RunInput = { run: { id, spec: many, facts, plan: planned, command }, settings: { store } }
  expect(JSON.stringify(planned).length).toBeGreaterThan(1_000_000)
  await openArtifacts(store).putRun(recordOf(input))
  const { activities, calls } = recording()
  const real = createActivities()
  await withWorker(
    server.address,
    { ...activities, planPart: (task) => real.planPart(task), kept: (task) => real.kept(task) },
    async () => {
      const handle = await server.client.workflow.start<(asked: StoredInput) => Promise<RunResult>>(
        workflowType,
        { workflowId: workflowId(id), taskQueue: 'zeroshift', args: [{ stored: id, store }] },
      )
      const { computed, failed } = await handle.result()
      expect(failed).toEqual([])
      expect(computed).toBe(stagesOf(planned).length)
      // By their keys alone.
      expect(calls.filter((stage) => 'params' in stage)).toEqual([])
      const { historyLength } = await handle.describe()
      expect(historyLength / computed).toBeLessThan(6)
    },
  )
})

test('a run of more stages than one workflow can have is refused alike by a dry run and by the run itself', async () => {
  const methods = Array.from(
    { length: 110 },
    (_, i) => `  - { method: finetune, epochs: ${i + 1}, label: f${i} }`,
  )
  writeFileSync(
    join(directory, 'too-large.yaml'),
    `name: too-large
seeds: 20
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: mlp, hidden: [2] }
training: { epochs: 1 }
methods:
${methods.join('\n')}
`,
  )
  const env = { TEMPORAL_ADDRESS: server.address, ZEROSHIFT_STORE: join(directory, 'too-large') }
  const refused = async (...more: readonly string[]) => {
    const { code, stderr } = await zeroshiftWith(env, directory, 'run', 'too-large.yaml', ...more).ended
    expect(code).toBe(2)
    return stderr
  }
  const said = await refused('--dry-run')
  expect(said).toMatch(/the experiment has \d+ stages, and one run can have 7680; name fewer seeds/)
  expect(await refused()).toBe(said)
})

/** Pictures of 2 × 2 pixels in two classes, as an .npz that is not compressed. */
function largeData(): Buffer {
  return zip({ ...pictures('train', SAMPLES), ...pictures('test', 1000) }, { isStored: true })
}

function pictures(set: string, count: number): Readonly<Record<string, Buffer>> {
  const images = Buffer.alloc(count * 4)
  const labels = Buffer.alloc(count)
  for (let i = 0; i < count; i++) {
    labels[i] = i % 2
    images.fill((i % 2) * 200 + (i % 50), 4 * i, 4 * i + 4)
  }
  return {
    [`x_${set}.npy`]: npy('|u1', [count, 2, 2], images),
    [`y_${set}.npy`]: npy('|u1', [count], labels),
  }
}
