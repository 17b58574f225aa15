import { expect, it } from 'vitest'
import type { RunEntry } from '../../../../ui/contract.ts'
import { RunBoard } from '../../../../ui/server/run-board.ts'

const entry = (id: string, changes: Partial<RunEntry> = {}): RunEntry => ({
  ...{ id, name: id, state: 'running', dataset: 'digits', model: 'cnn', split: 'the class “3”', methods: [] },
  ...{ tags: [], failures: [], hasReport: false, stages: { all: 2, done: 0, running: 1, failed: 0 } },
  ...changes,
})
const idsOf = (list: ReturnType<RunBoard['since']>) => list?.runs.map(({ id }) => id)

it('gives a client the runs that have changed since the version that it knows', () => {
  const board = new RunBoard()
  board.update([entry('a'), entry('b')])
  const first = board.version
  expect(board.since(undefined)).toEqual({ runs: [entry('a'), entry('b')] })
  board.update([entry('a'), entry('b', { state: 'completed' })])
  expect(board.since(first)).toEqual({ runs: [entry('b', { state: 'completed' })], partial: true })
  board.update([entry('a'), entry('b', { state: 'completed' }), entry('c')])
  expect(idsOf(board.since(first))).toEqual(['b', 'c'])
})

it('has no news if equal entries come again, as the same or as other objects', () => {
  const board = new RunBoard()
  const same = entry('a')
  board.update([same, entry('b')])
  const { version } = board
  board.update([same, entry('b')])
  expect(board.version).toBe(version)
  expect(board.since(version)).toBeUndefined()
})

it('gives the whole list to a client who knows a run that was removed', () => {
  const board = new RunBoard()
  board.update([entry('a'), entry('b')])
  const before = board.version
  board.update([entry('b')])
  expect(board.since(before)).toEqual({ runs: [entry('b')] })
  const after = board.version
  board.update([entry('b', { state: 'paused' })])
  expect(board.since(after)).toEqual({ runs: [entry('b', { state: 'paused' })], partial: true })
})

it('sorts runs by their start, the newest first, and by the date of the store without one', () => {
  const board = new RunBoard()
  board.update([
    entry('old', { startedAt: '2026-01-01T00:00:00.000Z' }),
    entry('stored', { changedAt: '2026-01-02T00:00:00.000Z' }),
    entry('new', { startedAt: '2026-01-03T00:00:00.000Z', changedAt: '2026-01-01T00:00:00.000Z' }),
    entry('none'),
  ])
  expect(idsOf(board.list())).toEqual(['new', 'stored', 'old', 'none'])
})
