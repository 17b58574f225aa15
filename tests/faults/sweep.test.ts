import { readFileSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { SweepProgress } from '../../experiment/sweep/sweep.ts'
import { stream } from '../../learning/random.ts'
import { progressQuery, workflowId } from '../../workflows/names.ts'
import { testDirectory } from '../support/directories.ts'
import { ended, leftovers, Site } from '../support/durable.ts'
import { campaign, figure } from '../support/campaign.ts'
import { manyCells, startSweep } from '../support/fault-sweep.ts'
import { busyShare, type Life } from '../support/slots.ts'

let directory: string
let site: Site
beforeEach(async () => {
  directory = testDirectory()
  site = await new Site().open()
})
afterEach(async () => {
  await site.close()
})

const size = campaign
  ? { workers: 8, fewest: 5, cells: 200, epochs: 50, heartbeatSeconds: 10, pause: 20_000 }
  : { workers: 3, fewest: 1, cells: 9, epochs: 20, heartbeatSeconds: 2, pause: 4_000 }

test(
  `up to ${size.workers} workers, killed and added at random: a sweep of ${size.cells} cells comes to the same digest${campaign ? ', and slots are busy' : ''}`,
  async () => {
    const { workers, fewest, cells, pause } = size
    const pool = new Pool()
    for (let i = 0; i < workers; i++) await pool.add()
    const config = manyCells(directory, size)
    const quiet = await startSweep(site, config, join(directory, 'quiet'), 3 * workers)
    const expected = await quiet.result
    expect(expected).toMatchObject({ cells, done: cells, failures: [] })

    const random = stream(1, 'kills')
    const began = Date.now()
    const { id, store, result } = await startSweep(site, config, join(directory, 'killed'), 3 * workers)
    const ending = result.then(() => Infinity)
    const doneNow = () =>
      site.client.workflow
        .getHandle(workflowId(id))
        .query<SweepProgress>(progressQuery)
        .then(({ done }) => done)
    let [kills, added] = [0, 0]
    // As long as there is work for all.
    while ((await Promise.race([ending, doneNow()])) < cells - workers) {
      await sleep(pause * random.uniform())
      if (pool.size > fewest && (pool.size === workers || random.uniform() < 0.5)) {
        await pool.kill(random.integer(pool.size))
        kills++
      } else {
        await pool.add()
        added++
      }
    }
    const lives = pool.lives(began, Date.now())
    const { digest, done, failures } = await result
    const busy = busyShare(readFileSync(site.log, 'utf8'), lives)
    figure('sweep', { kills, added, cells: done, busy, seconds: (Date.now() - began) / 1000 })
    expect(kills).toBeGreaterThan(0)
    expect(failures).toEqual([])
    expect(digest).toBe(expected.digest)
    expect(await leftovers(openArtifacts(store))).toEqual([])
    const { running } = await site.client.workflow
      .getHandle(workflowId(id))
      .query<SweepProgress>(progressQuery)
    expect(running).toEqual([])
    // Of a few cells' time the beginning, where all wait for the original, is a good part.
    expect(busy).toBeGreaterThan(campaign ? 0.9 : 0)
    expect(busy).toBeLessThanOrEqual(1)
  },
  campaign ? 3_600_000 : undefined,
)

/** Workers that live now, and the lives of those that do not. */
class Pool {
  private readonly living: { readonly worker: ChildProcess; readonly from: number }[] = []
  private readonly dead: Life[] = []

  get size(): number {
    return this.living.length
  }

  async add(): Promise<void> {
    const worker = await site.worker({ env: { ZEROSHIFT_LOG: 'info', ZEROSHIFT_LOG_FORMAT: 'json' } })
    this.living.push({ worker, from: Date.now() })
  }

  async kill(index: number): Promise<void> {
    const [victim] = this.living.splice(index, 1)
    if (!victim) return
    const { worker, from } = victim
    worker.kill('SIGKILL')
    this.dead.push({ pid: worker.pid ?? 0, from, to: Date.now(), killed: true })
    await ended(worker)
  }

  /** All between two moments. */
  lives(from: number, to: number): readonly Life[] {
    const living = this.living.map(({ worker, ...life }) => ({
      ...{ pid: worker.pid ?? 0, from: life.from, to, killed: false },
    }))
    return [...this.dead, ...living]
      .map((life) => ({ ...life, from: Math.max(life.from, from) }))
      .filter((life) => life.to > life.from)
  }
}
