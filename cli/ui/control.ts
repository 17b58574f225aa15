import { UserError } from '../../common/errors.ts'
import { size } from '../../common/size.ts'
import type { SweepChange, SweepProgress } from '../../experiment/sweep/sweep.ts'
import type { ControlAnswer, ControlRequest } from '../../ui/contract.ts'
import type { Operations } from '../../ui/server/operations.ts'
import { changeUpdate, resumeSignal, sweepType } from '../../workflows/names.ts'
import { resumeStored } from '../launch/resume-stored.ts'
import { counted } from '../output/format.ts'
import { bytesOf, objectsOf } from '../output/garbage-table.ts'
import type { Output } from '../output/output.ts'
import { withActiveWorkflow } from '../server/active-workflow.ts'
import { cancelWords, cancelWorkflow } from '../server/cancel-workflow.ts'
import { pauseWorkflow } from '../server/pause-workflow.ts'
import { previewRemoval, removeFrom, type RemovalResult } from '../server/removal.ts'
import { existingServer } from '../server/temporal.ts'

/** The store and the Temporal server as `zeroshift ui` was given them. */
export interface ControlPlaces {
  readonly store: string
  readonly temporal: string | undefined
}

/** As `zeroshift rm` has it. */
const GRACE_MS = 86_400_000

/** Changes runs and sweeps for the page by the functions of the commands. */
export function controlWith(places: ControlPlaces): NonNullable<Operations['control']> {
  return async (id, action, request) => {
    switch (action) {
      case 'pause':
        return pause(id, places)
      case 'resume':
        return (await isGoingOn(id, places)) ? unpause(id, places) : start(id, places, {})
      case 'cancel':
        return cancel(id, places)
      case 'retry':
        return start(id, places, { failed: true })
      case 'parallelism':
        return parallelism(id, places, request)
      case 'delete':
        return remove(id, places, request)
    }
  }
}

function pause(id: string, { temporal }: ControlPlaces): Promise<ControlAnswer> {
  return withActiveWorkflow(id, temporal, async (handle, client) => {
    const left = await pauseWorkflow(handle, client)
    return { message: `${id} is paused, ${left} to go.` }
  })
}

function isGoingOn(id: string, { temporal }: ControlPlaces): Promise<boolean> {
  return withActiveWorkflow(
    id,
    temporal,
    async (handle) => (await handle.describe()).status.name === 'RUNNING',
  ).catch((error: unknown) => {
    if (error instanceof UserError) return false
    throw error
  })
}

function unpause(id: string, { temporal }: ControlPlaces): Promise<ControlAnswer> {
  return withActiveWorkflow(id, temporal, async (handle) => {
    await handle.signal(resumeSignal)
    return { message: `${id} goes on.` }
  })
}

function cancel(id: string, { temporal }: ControlPlaces): Promise<ControlAnswer> {
  return withActiveWorkflow(id, temporal, async (handle) => {
    const outcome = await cancelWorkflow(handle, id)
    return {
      message: `${id} ${cancelWords[outcome]}.${outcome === 'completed' ? '' : ' What is done is kept.'}`,
    }
  })
}

/** Starts a run or a sweep that has ended again, on a server that goes on after this request. */
async function start(
  id: string,
  { store, temporal }: ControlPlaces,
  { failed }: { readonly failed?: true },
): Promise<ControlAnswer> {
  if (!existingServer(temporal))
    throw new UserError(
      `no Temporal server would go on with ${id}: start \`./zeroshift up\` in the directory of this page, or start the page ` +
        'with --temporal HOST:PORT',
    )
  const lines: string[] = []
  const output: Output = {
    out: process.stderr,
    printLine: (line) => lines.push(line),
    seconds: () => 0,
    answer: (code) => code,
  }
  const isSweep = failed && (await isSweepIn(store, id))
  const options = {
    detach: true as const,
    store,
    ...(temporal !== undefined && { temporal }),
    ...(isSweep && { failed }),
  }
  await resumeStored(id, options, output)
  return { message: lines.join(' ') }
}

async function isSweepIn(store: string, id: string): Promise<boolean> {
  const { openArtifacts } = await import('../../artifacts/artifacts.ts')
  return (await openArtifacts(store).sweep(id)) !== undefined
}

function parallelism(
  id: string,
  { temporal }: ControlPlaces,
  { atMost }: ControlRequest,
): Promise<ControlAnswer> {
  if (atMost === undefined)
    throw new UserError('atMost is missing; expected the largest number of runs at the same time')
  return withActiveWorkflow(id, temporal, async (handle) => {
    const { type } = await handle.describe()
    if (type !== sweepType)
      throw new UserError(`${id} is a single run; only a sweep has runs at the same time`)
    const { maxParallel } = await handle.executeUpdate<SweepProgress, [SweepChange]>(changeUpdate, {
      args: [{ maxParallel: atMost }],
    })
    return { message: `${id} has at most ${counted(maxParallel, 'run')} at the same time.` }
  })
}

async function remove(
  id: string,
  { store, temporal }: ControlPlaces,
  { confirmed }: ControlRequest,
): Promise<ControlAnswer> {
  const request = { ids: [id], cells: true, grace: GRACE_MS, temporal }
  const result = confirmed ? await removeFrom(store, request) : await previewRemoval(store, request)
  return answerOf(id, result)
}

function answerOf(id: string, { removal, freed, busy, removed }: RemovalResult): ControlAnswer {
  const isGone = (kind: 'runs' | 'sweeps') => (one: { readonly id: string }) =>
    removed?.[kind].includes(one.id) ?? true
  const runs = removal.runs.filter(isGone('runs'))
  const records = [...runs, ...removal.sweeps.filter(isGone('sweeps'))].flatMap(({ objects }) => objects)
  const freedNow = objectsOf(freed.now)
  const freedLater = objectsOf(freed.later)
  const bytes = bytesOf(records) + bytesOf(freedNow) + (removed ? 0 : bytesOf(freedLater))
  const cells = removal.sweeps.length > 0 ? ` with ${counted(runs.length, 'run')}` : ''
  const shared =
    freed.shared.stages > 0 ? [`${counted(freed.shared.stages, 'stage')} that other runs need stay.`] : []
  const later =
    removed && freedLater.length > 0
      ? [
          `${size(bytesOf(freedLater))} are younger than a day: a later \`./zeroshift gc --delete\` frees them.`,
        ]
      : []
  const obstacles = removed
    ? []
    : [...busy].map(([one, why]) => `${one} is being computed (${why}), and cannot be deleted now.`)
  const staying = removal.staying.map((one) => `${one.id} stays: ${one.why}.`)
  const done = removed
    ? `${id}${cells} is deleted: ${size(bytes)} are free.`
    : `${id}${cells} takes ${size(bytes)} that nothing else needs.`
  return { message: [done, ...shared, ...later, ...staying, ...obstacles].join(' '), bytes }
}
