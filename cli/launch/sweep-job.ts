import { join } from 'node:path'
import type { Client } from '@temporalio/client'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import type {
  SweepChange,
  SweepInput,
  SweepProgress,
  SweepRecord,
  SweepResult,
} from '../../experiment/sweep/sweep.ts'
import { quoted } from '../../report/command.ts'
import { changeUpdate, fairShare, sweepType, workflowId } from '../../workflows/names.ts'
import type { Job } from './execute-workflow.ts'
import { counted, duration } from '../output/format.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, printError, whereOf } from '../output/print.ts'
import type { Output } from '../output/output.ts'

type Sweep = (input: SweepInput) => Promise<SweepResult>

/** A sweep, for `conduct`. One that is going on is told what is new; `again` asks for one that is not. */
export function sweepJob(
  record: SweepRecord,
  input: SweepInput,
  { again = false, ...change }: SweepChange & { readonly again?: boolean } = {},
): Job<SweepResult> {
  const { id } = record
  return {
    id,
    about: counted(record.cells.length, 'cell'),
    async start(client, isFound) {
      if (await isGoingOn(client, id)) {
        if (again)
          throw new UserError(`${id} is going on: what failed of it can be tried again once it has ended`)
        await client.workflow
          .getHandle(workflowId(id))
          .executeUpdate<SweepProgress, [SweepChange]>(changeUpdate, {
            args: [{ ...change, maxParallel: input.maxParallel }],
          })
      }
      return client.workflow.start<Sweep>(sweepType, {
        workflowId: workflowId(id),
        taskQueue: 'zeroshift',
        workflowIdConflictPolicy: 'USE_EXISTING',
        priority: fairShare(id),
        ...(isFound && {
          typedSearchAttributes: [{ key: { name: 'ZeroshiftSweep', type: 'KEYWORD' }, value: id }],
        }),
        args: [{ ...input, searchable: isFound }],
      })
    },
    async follow(client, handle, ended, { out }) {
      const { follow, viewOn } = await import('../output/follow.ts')
      const { sweepViewOf } = await import('../output/sweep-progress.ts')
      const { sweepWriter } = await import('../output/render-sweep.ts')
      const view = await viewOn(out, sweepWriter(record))
      return follow(() => sweepViewOf(client, handle), ended, view, out.isTTY ? 1000 : 2000)
    },
    async untracked(client) {
      const { untracked } = await import('./run-job.ts')
      return untracked(client, id, record.tracking, `./zeroshift track ${id}`)
    },
    completed: (result, notes, io) => completed(result, notes, input.store, io),
    cancelled({ say, answer }) {
      say(`${id} was stopped. What is done is kept. To go on: ${resumption(id, input.store)}`)
      return answer(1, { id, status: 'cancelled' })
    },
    failed(reason, { answer }) {
      const { red } = coloursOf(process.stderr)
      printError(red(`${id} failed: ${reason}`))
      printError(`What is done is kept. Once that is put right: ${resumption(id, input.store)} --failed`)
      return answer(1, { id, status: 'failed', error: reason })
    },
  }
}

async function isGoingOn(client: Client, id: string): Promise<boolean> {
  const { WorkflowNotFoundError } = await import('@temporalio/client')
  return client.workflow
    .getHandle(workflowId(id))
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return false
        throw error
      },
    )
}

async function completed(
  result: SweepResult,
  notes: readonly string[],
  store: string,
  { out, say, seconds, answer }: Output,
): Promise<number> {
  const { id, report, digest, ...counts } = result
  const { comparisonOf } = await import('../../activities/comparison.ts')
  const { comparisonLines } = await import('../output/comparison-lines.ts')
  const artifacts = openArtifacts(store)
  const record = await artifacts.sweep(id)
  const colours = coloursOf(out)
  say('')
  if (record) for (const line of comparisonLines(await comparisonOf(artifacts, record), colours)) say(line)
  for (const note of notes) say(colours.yellow(note))
  const { cells, done, cached, incomplete, stopped, failures } = counts
  const parts = [
    `${done} of ${counted(cells, 'cell')} done`,
    `${cached} of them cached`,
    ...(incomplete > 0 ? [`${incomplete} without some stages, which failed`] : []),
    ...(stopped > 0 ? [`${stopped} stopped early`] : []),
    ...(failures.length > 0 ? [colours.red(`${failures.length} failed`)] : []),
  ]
  say('')
  say(`Report: ${join(whereOf(report), 'index.html')}`)
  say(`${parts.join(', ')}. ${duration(seconds())} in all.`)
  if (incomplete + failures.length > 0) say(`To try again what failed: ${resumption(id, store)} --failed`)
  return answer(failures.length > 0 ? 1 : 0, {
    id,
    status: 'completed',
    report,
    digest,
    cells: counts,
    notes,
  })
}

/** The command that goes on with it; it names the store where that is not the one that it would look into. */
function resumption(id: string, store: string): string {
  return `./zeroshift resume ${id}${store === storeFor() ? '' : ` --store ${quoted(whereOf(store))}`}`
}
