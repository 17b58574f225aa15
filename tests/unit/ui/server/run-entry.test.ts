import { expect, it } from 'vitest'
import type { StageProgress } from '../../../../experiment/records/run.ts'
import type { RunEntry } from '../../../../ui/contract.ts'
import type { LiveRun } from '../../../../ui/server/operations.ts'
import { runEntry } from '../../../../ui/server/run-entry.ts'

const startedAt = '2026-11-30T12:00:00.000Z'
const live = (changes: Partial<LiveRun> = {}): LiveRun => ({
  ...{ id: 'small-01234567', kind: 'run', state: 'running', startedAt, seconds: 60 },
  ...changes,
})
const stored = (changes: Partial<RunEntry> = {}, reportedAt?: number) => ({
  entry: {
    ...{ id: 'small-01234567', name: 'small', state: 'interrupted', dataset: 'digits', model: 'cnn' },
    ...{ split: 'the class “3”', methods: ['rfa'], tags: [], failures: [], hasReport: false },
    stages: { all: 4, done: 1, running: 0, failed: 0 },
    ...changes,
  } satisfies RunEntry,
  isOwn: true,
  ...(reportedAt !== undefined && { reportedAt }),
})
const stage = (state: StageProgress['state'], error?: string): StageProgress => ({
  ...{ key: state, kind: 'train', title: `a stage that is ${state}`, state },
  ...(error !== undefined && { error }),
})

it('takes the state of a running run from Temporal and the counts from its progress', () => {
  const stages = [
    stage('computed'),
    stage('cached'),
    stage('running'),
    stage('failed', 'the loss is not finite'),
  ]
  const entry = runEntry('small-01234567', {
    ...{ stored: stored(), live: live(), progress: { id: 'small-01234567', stages }, secondsLeft: 12.4 },
  })
  expect(entry).toMatchObject({ state: 'running', startedAt, seconds: 60, secondsLeft: 12 })
  expect(entry.stages).toEqual({ all: 4, done: 2, running: 1, failed: 1 })
  expect(entry.failures).toEqual([{ title: 'a stage that is failed', reason: 'the loss is not finite' }])
})

it.each([
  ['paused', live(), { paused: true }, {}, 'paused'],
  ['completed', live({ state: 'completed' }), {}, { state: 'completed' }, 'completed'],
  ['completed with failed stages', live({ state: 'completed' }), {}, { state: 'incomplete' }, 'incomplete'],
  ['cancelled', live({ state: 'cancelled' }), {}, {}, 'cancelled'],
  ['failed', live({ state: 'failed' }), {}, {}, 'failed'],
] as const)('a run that is %s', (_, known, progress, changes, state) => {
  const sources = {
    stored: stored(changes),
    live: known,
    progress: { id: 'small-01234567', stages: [], ...progress },
  }
  expect(runEntry('small-01234567', sources).state).toBe(state)
})

it('adds the reason why a workflow has failed', () => {
  const entry = runEntry('small-01234567', {
    stored: stored(),
    live: live({ state: 'failed' }),
    failure: 'no data',
  })
  expect(entry.failures).toEqual([{ title: 'The run', reason: 'no data' }])
})

it('believes the store if a run was cancelled here and then completed elsewhere', () => {
  const endedAt = Date.parse(startedAt) + 60_000
  const sources = (reportedAt: number) => ({
    stored: stored({ state: 'completed' }, reportedAt),
    live: live({ state: 'cancelled' }),
  })
  expect(runEntry('small-01234567', sources(endedAt + 1)).state).toBe('completed')
  expect(runEntry('small-01234567', sources(endedAt - 1)).state).toBe('cancelled')
})

it('shows a run that has no record yet by what the server knows', () => {
  const entry = runEntry('small-01234567', { live: live({ dataset: 'digits', methods: ['rfa'] }) })
  expect(entry).toMatchObject({ name: 'small', dataset: 'digits', methods: ['rfa'], state: 'running' })
})
