import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { recordOf, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import type { StoredInput } from '../../experiment/plan/run-parts.ts'
import { searchAttributesOf } from '../../experiment/records/search-attributes.ts'
import type { Settings } from '../../experiment/spec/spec.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { fairShare, trackingId, workflowId, workflowType } from '../../workflows/names.ts'
import type { Job } from './execute-workflow.ts'
import { counted } from '../output/format.ts'
import type { RunView } from '../output/run-progress.ts'
import { reasonOf } from '../server/unwrap-error.ts'
import type { Output } from '../output/output.ts'

type Experiment = (input: RunInput | StoredInput) => Promise<RunResult>

/** What is said of a run at its end. Each answers the exit code. */
export interface Ends {
  readonly completed: (result: RunResult, io: Output) => number | Promise<number>
  readonly cancelled: (input: RunInput, io: Output) => number
  readonly failed: (input: RunInput, reason: string, io: Output) => number
}

/** A run, for `conduct`. */
export async function runJob(input: RunInput, ends?: Ends): Promise<Job<RunResult>> {
  const { id, plan } = input.run
  const { cancelled, completed, failed } = ends ?? (await import('../output/run-summary.ts'))
  return {
    id,
    about: counted(stagesOf(plan).length, 'stage'),
    start: async (client, isFound) => {
      const asked = await startable(input)
      return client.workflow.start<Experiment>(workflowType, {
        workflowId: workflowId(id),
        taskQueue: 'zeroshift',
        workflowIdConflictPolicy: 'USE_EXISTING',
        priority: fairShare(id),
        ...(isFound && { typedSearchAttributes: searchAttributesOf(input.run) }),
        args: [asked],
      })
    },
    async follow(_client, handle, ended, { out }) {
      const { follow, viewOn } = await import('../output/follow.ts')
      const { progressOf } = await import('../output/run-progress.ts')
      const { changedLines, renderProgress } = await import('../output/render-run.ts')
      const view = await viewOn<RunView>(out, { render: renderProgress, changedLines })
      return follow(() => progressOf(handle), ended, view, out.isTTY ? 200 : 500)
    },
    untracked: (client) => untracked(client, id, input.settings.tracking, `./zeroshift track ${id}`),
    completed: (result, notes, io) => completed({ ...result, notes: [...result.notes, ...notes] }, io),
    cancelled: (io) => cancelled(input, io),
    failed: (reason, io) => failed(input, reason, io),
  }
}

/** Bytes of a run that go to Temporal with its start, and with each delivery to MLflow. Temporal takes 2 MB. */
const MOST_BYTES = 2 ** 17

/**
 * What starts a run's workflow. A small run is told as it is, so that the workers' store need not be
 * reached from here. A large one is written to the store, where its workflow reads it in pieces.
 */
async function startable(input: RunInput): Promise<RunInput | StoredInput> {
  if (Buffer.byteLength(JSON.stringify(input)) <= MOST_BYTES) return input
  const { store } = input.settings
  const { refuseUnusable } = await import('./usable-places.ts')
  await refuseUnusable(store)
  await openArtifacts(store).putRun(recordOf(input))
  return { stored: input.run.id, store }
}

const TRACKING_MS = 10_000

/** A tracking server is given a moment to take what was left. What it did not take waits, and the note says so. */
export async function untracked(
  client: Client,
  id: string,
  tracking: Settings['tracking'],
  remedy: string,
): Promise<readonly string[]> {
  if (!tracking) return []
  const waiting = `MLflow at ${tracking.uri} has not taken this run's metrics yet. They are kept; once it answers: ${remedy}`
  return Promise.race([
    client.workflow
      .getHandle(trackingId(id))
      .result()
      .then(
        () => [],
        (error: unknown) => [`${reasonOf(error)}. The metrics are kept: ${remedy}`],
      ),
    sleep(TRACKING_MS, [waiting], { ref: false }),
  ])
}
