import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createActivities, type Activities } from '../../../activities/index.ts'
import type { StageDone } from '../../../activities/runtime/stage.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { StoreView } from '../../../artifacts/store-view.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { fileDirectory } from '../../support/directories.ts'
import { longRun } from '../../support/durable.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal, withWorker } from '../../support/temporal.ts'

let directory: string
let server: TestTemporal
beforeAll(async () => {
  directory = fileDirectory()
  server = await forFile(temporalServer())
})

test('what was accepted and belongs to a model that was computed again meanwhile is computed again', async () => {
  const input = await longRun({ epochs: 1, store: join(directory, 'store') })
  const { plan } = input.run
  const artifacts = openArtifacts(input.settings.store)
  const real = createActivities()
  let reports = 0
  const computed: string[] = []
  const noting =
    <T>(activity: (task: T) => Promise<StageDone>) =>
    async (task: T): Promise<StageDone> => {
      const done = await activity(task)
      if (!done.cached) computed.push(done.key)
      return done
    }
  const activities: Activities = {
    ...real,
    evaluate: noting(real.evaluate),
    attack: noting(real.attack),
    compare: noting(real.compare),
    unlearn: noting(real.unlearn),
    async report(task) {
      // Just before the first report another run has computed the original anew, to other bytes.
      if (reports++ === 0) {
        const manifest = await artifacts.manifest(plan.original)
        if (!manifest) throw new Error('the original is not there')
        const other = { ...manifest, metrics: { ...manifest.metrics, steps: manifest.metrics.steps + 1 } }
        await artifacts.store.delete(`stages/train/${plan.original.key}/manifest.json`)
        await artifacts.commit(other)
        computed.length = 0
      }
      return real.report(task)
    },
  }
  const result = await withWorker(server.address, activities, () =>
    server.client.workflow.execute<(input: RunInput) => Promise<RunResult>>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      args: [input],
    }),
  )
  expect(result.failed).toEqual([])
  expect(reports).toBe(2)
  const unlearned = plan.candidates.flatMap(({ unlearn }) => unlearn?.key ?? [])
  expect(unlearned).toHaveLength(2)
  expect(computed).toEqual(expect.arrayContaining(unlearned))
  // Stages that do not depend on the original were left as they are.
  expect(computed).not.toContain(plan.reference?.evaluate.key)
  const stages = stagesOf(plan)
  const view = new StoreView(artifacts)
  for (const stage of stages) expect([stage.title, await view.complete(stage)]).not.toContain(undefined)
  // Each counts once, and none as found.
  expect([result.computed, result.cached]).toEqual([stages.length, 0])
  expect(result.results).toHaveLength(plan.candidates.length + plan.floor.length)
})
