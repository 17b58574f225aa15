import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { SweepProgress } from '../../experiment/sweep.ts'
import { stream } from '../../learning/random.ts'
import { progressQuery, workflowId } from '../../workflows/names.ts'
import { ended, leftovers, Site } from '../support/durable.ts'
import { campaign, figure } from '../support/campaign.ts'
import { sixCells, startSweep } from '../support/fault-sweep.ts'

let directory: string
let site: Site
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zeroshift-sweep-faults-'))
  site = await new Site().open()
})
afterEach(async () => {
  await site.close()
  rmSync(directory, { recursive: true, force: true })
})

const KILLS = campaign ? 12 : 3

test(`two workers, ${KILLS} times one of them killed at random: a sweep comes to the same digest`, async () => {
  const workers = [await site.worker(), await site.worker()]
  const quiet = await startSweep(site, sixCells(directory), join(directory, 'quiet'))
  const expected = await quiet.result
  expect(expected).toMatchObject({ cells: 6, done: 6, failures: [] })

  const random = stream(1, 'kills')
  const { id, store, result } = await startSweep(site, sixCells(directory), join(directory, 'killed'))
  let isOver = false
  result.finally(() => (isOver = true)).catch(() => undefined)
  let kills = 0
  while (!isOver && kills < KILLS) {
    await sleep(500 + 4000 * random.uniform())
    const victim = random.integer(2)
    const worker = workers[victim]
    if (isOver || !worker) break
    worker.kill('SIGKILL')
    await ended(worker)
    workers[victim] = await site.worker()
    kills++
  }
  const { digest, done, failures } = await result
  figure('sweep', { kills, cells: done })
  expect(kills).toBeGreaterThan(0)
  expect(failures).toEqual([])
  expect(digest).toBe(expected.digest)
  expect(await leftovers(openArtifacts(store))).toEqual([])
  const { running } = await site.client.workflow.getHandle(workflowId(id)).query<SweepProgress>(progressQuery)
  expect(running).toEqual([])
})
