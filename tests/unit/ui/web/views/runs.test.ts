import { describe, expect, test } from 'vitest'
import type { RunEntry } from '../../../../../ui/contract.ts'
import { choicesOf, selectRuns } from '../../../../../ui/web/views/runs/filters.ts'
import { mergedRuns } from '../../../../../ui/web/views/runs/merge.ts'

function run(id: string, more: Partial<RunEntry> = {}): RunEntry {
  return {
    ...{ id, name: id, state: 'completed', dataset: 'digits', model: 'cnn', split: 'class 3' },
    ...{ methods: ['rfa'], tags: [], failures: [], hasReport: true },
    stages: { all: 1, done: 1, running: 0, failed: 0 },
    ...more,
  }
}

const runs = [
  run('c', { startedAt: '2025-03-03T23:59:59.000Z', tags: ['paper'], seconds: 5 }),
  run('a', {
    startedAt: '2025-02-02T00:00:00.000Z',
    dataset: 'cifar10',
    methods: ['rfa', 'scrub'],
    seconds: 9,
  }),
  run('b', {
    ...{ state: 'failed', split: 'random 10%', sweep: 'ranks', note: 'Second try' },
    failures: [{ title: 'unlearn scrub', reason: 'The loss is not finite.' }],
  }),
]
const ids = (query: Readonly<Record<string, string>>) => selectRuns(runs, query).map(({ id }) => id)

describe('filters of runs', () => {
  test.each([
    [{}, ['c', 'a', 'b']],
    [{ data: 'cifar10' }, ['a']],
    [{ method: 'scrub' }, ['a']],
    [{ split: 'random 10%' }, ['b']],
    [{ status: 'failed' }, ['b']],
    [{ tag: 'paper' }, ['c']],
    [{ sweep: 'ranks' }, ['b']],
    [{ since: '2025-02-02', until: '2025-02-02' }, ['a']],
    [{ until: '2025-03-03' }, ['c', 'a']],
    [{ text: 'NOT finite scrub' }, ['b']],
    [{ text: 'second' }, ['b']],
    [{ text: '', data: '' }, ['c', 'a', 'b']],
    [{ data: 'digits', status: 'completed' }, ['c']],
    [{ unknown: 'x' }, ['c', 'a', 'b']],
  ])('%o', (query, expected) => {
    expect(ids(query)).toEqual(expected)
  })
  test('the order is the one that the address names', () => {
    expect(ids({ sort: 'oldest' })).toEqual(['b', 'a', 'c'])
    expect(ids({ sort: 'name' })).toEqual(['a', 'b', 'c'])
    expect(ids({ sort: 'longest' })).toEqual(['a', 'c', 'b'])
    expect(ids({ sort: 'status' })).toEqual(['c', 'a', 'b'])
    expect(ids({ sort: 'constructor' })).toEqual(['c', 'a', 'b'])
  })
  test('choices are the values that runs have', () => {
    expect(choicesOf(runs)).toEqual({
      data: ['cifar10', 'digits'],
      method: ['rfa', 'scrub'],
      split: ['class 3', 'random 10%'],
      status: ['completed', 'failed'],
      tag: ['paper'],
      sweep: ['ranks'],
    })
  })
})

describe('an event', () => {
  test('with changes alone adds new runs at the start and replaces the changed ones in their places', () => {
    const event = { partial: true as const, runs: [run('new'), run('a', { state: 'running' })] }
    const merged = mergedRuns({ runs }, event).runs
    expect(merged.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'new completed',
      'c completed',
      'a running',
      'b failed',
    ])
  })
  test('with the whole list replaces it, so that deleted runs are gone', () => {
    expect(mergedRuns({ runs }, { runs: [run('c')] }).runs.map(({ id }) => id)).toEqual(['c'])
  })
})
