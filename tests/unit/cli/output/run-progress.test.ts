import { describe, expect, test } from 'vitest'
import { merge } from '../../../../cli/output/run-progress.ts'
import type { RunProgress } from '../../../../experiment/records/run.ts'

const progress: RunProgress = {
  id: 'x',
  stages: [
    { key: 'a', kind: 'train', title: 'train original', state: 'running' },
    { key: 'b', kind: 'train', title: 'train gold', state: 'running' },
    { key: 'c', kind: 'dataset', title: 'read digits', state: 'computed', seconds: 1 },
  ],
}

describe('merging heartbeats into progress', () => {
  test('a stage that a worker has shows its steps; one that none has taken yet waits', () => {
    const merged = merge(progress, [
      { key: 'a', started: true, startedAt: 5, progress: { step: 3, steps: 9, loss: 0.5 } },
      { key: 'b', started: false, progress: {} },
    ])
    expect(merged.stages[0]).toEqual({ ...progress.stages[0], step: 3, steps: 9, loss: 0.5, startedAt: 5 })
    expect(merged.stages[1]).toEqual({ ...progress.stages[1], state: 'waiting' })
  })

  test('a stage that is done is not undone by what the server said a moment before', () => {
    const merged = merge(progress, [{ key: 'c', started: true, progress: { step: 1, steps: 2 } }])
    expect(merged).toEqual(progress)
  })

  test('a stage that is tried again says why', () => {
    const merged = merge(progress, [{ key: 'a', started: false, progress: {}, error: 'the disk is full' }])
    expect(merged.stages[0]).toMatchObject({ state: 'waiting', error: 'the disk is full' })
  })

  test('a stage that another run computes waits, also while it looks again', () => {
    for (const started of [false, true]) {
      const merged = merge(progress, [{ key: 'a', started, elsewhere: true, startedAt: 5, progress: {} }])
      expect(merged.stages[0]).toEqual({ ...progress.stages[0], state: 'waiting', elsewhere: true })
    }
  })
})
