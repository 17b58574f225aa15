import type { Client, WorkflowHandle } from '@temporalio/client'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import type { RunProgress } from '../../experiment/records/run.ts'
import type { RunningCell, SweepProgress } from '../../experiment/sweep/sweep.ts'
import { progressQuery, queues, workflowId, type Queue } from '../../workflows/names.ts'
import { progressOf } from './run-progress.ts'
import { retriesOf } from './retries.ts'
import type { Retry } from './retry-lines.ts'

/** The progress of a sweep with its running cells, workers and retries. */
export interface SweepView {
  readonly sweep: SweepProgress
  /** The first running cells with their progress, which is undefined if a run did not answer. */
  readonly runs: readonly (RunningCell & { readonly progress?: RunProgress | undefined })[]
  readonly workers: readonly SeenWorker[]
  /** The retries of the sweep and of these runs. */
  readonly retries: readonly Retry[]
}

export interface SeenWorker {
  readonly identity: string
  readonly queues: readonly Queue[]
  /** Milliseconds since 1970. */
  readonly seenAt: number
}

/** The largest number of runs that are shown. Each needs a query. */
const MOST_RUNS = 12

export async function sweepViewOf(client: Client, handle: WorkflowHandle): Promise<SweepView> {
  const [sweep, workers, own] = await Promise.all([
    handle.query<SweepProgress>(progressQuery),
    seenWorkers(client).catch(() => []),
    handle.describe().then((description) => retriesOf(client.workflow, description)),
  ])
  const running = await Promise.all(
    sweep.running.slice(0, MOST_RUNS).map(async (cell) => {
      const view = await progressOf(client.workflow.getHandle(workflowId(cell.run))).catch(() => undefined)
      if (!view) return { run: cell, retries: [] }
      const { retries, ...progress } = view
      return { run: { ...cell, progress }, retries: retries.map(named(cell)) }
    }),
  )
  return {
    sweep,
    runs: running.map(({ run }) => run),
    workers,
    retries: [...own, ...running.flatMap(({ retries }) => retries)],
  }
}

/** Adds the run to a retry, since activities of different runs may have the same id. */
function named({ run }: RunningCell): (retry: Retry) => Retry {
  return ({ key, stage, ...retry }) => ({ key: `${run} ${key}`, stage: `${run}: ${stage}`, ...retry })
}

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const types = { zeroshift: 1, 'zeroshift-train': 2 } as const

/** Returns the workers that asked the server for tasks in the last minutes. */
async function seenWorkers(client: Client): Promise<readonly SeenWorker[]> {
  const seen = new Map<string, { readonly queues: Queue[]; seenAt: number }>()
  for (const queue of queues) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: queue },
      taskQueueType: types[queue],
    })
    for (const { identity, lastAccessTime } of pollers ?? []) {
      if (typeof identity !== 'string') continue
      const worker = seen.get(identity) ?? { queues: [], seenAt: 0 }
      worker.queues.push(queue)
      worker.seenAt = Math.max(worker.seenAt, optionalTsToMs(lastAccessTime) ?? 0)
      seen.set(identity, worker)
    }
  }
  return [...seen].map(([identity, worker]) => ({ identity, ...worker }))
}
