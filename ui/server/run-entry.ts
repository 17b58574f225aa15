import type { RunProgress } from '../../experiment/records/run.ts'
import type { RunEntry, RunState } from '../contract.ts'
import type { LiveRun } from './operations.ts'
import type { StoredRun } from './store-index.ts'

/** What is known of a run, from which its entry in the list is made. */
export interface RunSources {
  readonly stored?: StoredRun | undefined
  readonly live?: LiveRun | undefined
  readonly progress?: RunProgress | undefined
  /** The estimated seconds that the run still takes. */
  readonly secondsLeft?: number | undefined
  /** Why the workflow failed. */
  readonly failure?: string | undefined
}

/** The entry of a run: the store says what it is, and Temporal how far it is. Pure. */
export function runEntry(id: string, sources: RunSources): RunEntry {
  const { stored, live, progress, secondsLeft, failure } = sources
  const base = stored?.entry ?? unstored(id, live)
  if (!live || isOutdated(live, stored)) return base
  const state = stateOf(base, live, progress)
  const isRunning = live.state === 'running'
  const failures = isRunning && progress ? failedStages(progress) : base.failures
  const { changedAt, ...rest } = base
  return {
    ...rest,
    state,
    startedAt: live.startedAt,
    ...(changedAt !== undefined && { changedAt }),
    seconds: Math.round(live.seconds),
    stages: isRunning && progress ? countsOf(progress) : base.stages,
    ...(isRunning && secondsLeft !== undefined && { secondsLeft: Math.round(secondsLeft) }),
    failures: failure === undefined ? failures : [...failures, { title: 'The run', reason: failure }],
  }
}

/** Whether a run has ended elsewhere since its workflow ended here, and has a newer report. */
function isOutdated({ state, startedAt, seconds }: LiveRun, stored: StoredRun | undefined): boolean {
  const isCut = state === 'failed' || state === 'cancelled'
  const endedAt = Date.parse(startedAt) + 1000 * seconds
  return isCut && stored?.entry.state === 'completed' && (stored.reportedAt ?? 0) > endedAt
}

function stateOf({ state }: RunEntry, live: LiveRun, progress: RunProgress | undefined): RunState {
  switch (live.state) {
    case 'running':
      return progress?.paused ? 'paused' : 'running'
    case 'completed':
      return state === 'incomplete' ? 'incomplete' : 'completed'
    case 'failed':
    case 'cancelled':
      return live.state
  }
}

export function countsOf({ stages }: RunProgress): RunEntry['stages'] {
  const count = (...states: readonly string[]) => stages.filter(({ state }) => states.includes(state)).length
  return {
    all: stages.length,
    done: count('computed', 'cached'),
    running: count('running'),
    failed: count('failed'),
  }
}

export function failedStages({ stages }: RunProgress): RunEntry['failures'] {
  return stages.flatMap(({ title, state, error = 'failed' }) =>
    state === 'failed' ? [{ title, reason: error }] : [],
  )
}

/** The entry of a run that has no record in this store yet, or whose store is another one. */
function unstored(id: string, live: LiveRun | undefined): RunEntry {
  return {
    id,
    name: id.replace(/-[0-9a-f]{8}$/, ''),
    state: 'running',
    dataset: live?.dataset ?? '',
    ...{ model: '', split: '' },
    methods: live?.methods ?? [],
    ...(live?.sweep !== undefined && { sweep: live.sweep }),
    tags: [],
    stages: { all: 0, done: 0, running: 0, failed: 0 },
    failures: [],
    hasReport: false,
  }
}
