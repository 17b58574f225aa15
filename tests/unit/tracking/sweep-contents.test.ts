import { describe, expect, test } from 'vitest'
import { isApproximate, results, resultsBySeed } from '../../../report/results.ts'
import type { ReportInput } from '../../../report/report.ts'
import type { SweepRecord } from '../../../experiment/sweep/sweep.ts'
import { contentsOf, keyTag, sweepTag, type RunContents } from '../../../tracking/contents.ts'
import { checkMetric, checkName } from '../../../tracking/limits.ts'
import {
  cellOf,
  experimentOf,
  sweepContents,
  type TrackedEnd,
  type TrackedSweep,
} from '../../../tracking/sweep-contents.ts'
import { sampleInput } from '../report/fixtures.ts'
import { cellInput, sampleSweep } from './sweep-fixture.ts'

const end = (status: TrackedEnd['status'], at: number, figures: TrackedEnd['figures']): TrackedEnd => ({
  status,
  at,
  figures,
})

function ofSweep(change: Partial<TrackedSweep> = {}): RunContents {
  return sweepContents({
    sweep: sampleSweep(),
    ends: [],
    isRunning: true,
    nonce: 'nonce',
    startedAt: 1,
    files: [{ path: 'report/index.html', blob: { sha256: '0'.repeat(64), bytes: 1 } }],
    ...change,
  })
}

/** The runs of a cell that has ended: its own, and one for each method. */
function ofCell(input: ReportInput, sweep: SweepRecord = sampleSweep()): readonly RunContents[] {
  return contentsOf({
    run: { ...input.run, failed: [] },
    rows: resultsBySeed(input),
    manifests: input.manifests,
    nonce: 'cell',
    startedAt: 1,
    ended: { status: 'FINISHED', at: 2 },
    cell: { ...cellOf(sweep, input.run.id), rows: results(input).filter(isApproximate) },
  })
}

const valueOf = (run: RunContents | undefined, key: string) =>
  run?.metrics.find((metric) => metric.key === key)?.value

describe("a sweep's run", () => {
  test('says what is varied and what is not', () => {
    expect(ofSweep()).toMatchObject({
      name: 'ranks-0a1b2c3d',
      startTime: 1,
      status: 'RUNNING',
      params: { name: 'ranks', base: 'digits.yaml', 'set.training.epochs': '5', 'sweep.rank': '[2,8]' },
      tags: { [sweepTag]: 'ranks-0a1b2c3d', [keyTag]: 'nonce' },
    })
  })

  test('names several bases, and of a column each value once, without those that some cells lack', () => {
    const { space, cells } = sampleSweep()
    const sweep = sampleSweep({
      space: { ...space, base: ['a.yaml', 'b.yaml'] },
      columns: [
        { name: 'base', path: 'base' },
        { name: 'rank', path: 'methods[1].rank' },
      ],
      cells: [
        ['a', 2],
        ['b', 2],
        ['b', null],
      ].map((values) => ({ ...cells[0], values, runs: [] })),
    })
    expect(ofSweep({ sweep }).params).toMatchObject({
      base: '["a.yaml","b.yaml"]',
      'sweep.base': '["a","b"]',
      'sweep.rank': '[2]',
    })
  })

  test('is what its latest end was, unless it goes on', () => {
    const ends = [end('KILLED', 5, { cells: 2, done: 1 }), end('FINISHED', 9, { cells: 2, done: 2 })]
    expect(ofSweep({ ends, isRunning: false })).toMatchObject({
      status: 'FINISHED',
      endTime: 9,
      files: [{ path: 'report/index.html' }],
    })
    const running = ofSweep({ ends: ends.slice(0, 1) })
    expect(running).toMatchObject({ status: 'RUNNING', files: [] })
    expect(running).not.toHaveProperty('endTime')
  })

  test('has the figures of each end at a step of its own', () => {
    const ends = [end('KILLED', 5, { done: 1 }), end('FINISHED', 9, { done: 2, lowestAverageGap: 0.5 })]
    expect(ofSweep({ ends, isRunning: false }).metrics).toEqual([
      { key: 'done', value: 1, timestamp: 5, step: 0 },
      { key: 'done', value: 2, timestamp: 9, step: 1 },
      { key: 'lowestAverageGap', value: 0.5, timestamp: 9, step: 1 },
    ])
  })

  test('says which cells failed, once it has a report', () => {
    const failures = [{ cell: 1, run: 'ranks-8', reason: 'the loss is not finite' }]
    const ends = [end('FINISHED', 9, {})]
    const failed = (sweep: SweepRecord) => ofSweep({ sweep, ends, isRunning: false }).tags['zeroshift.failed']
    expect(failed(sampleSweep({ failures }))).toBe('ranks-8: the loss is not finite')
    expect(failed(sampleSweep({ failures: [] }))).toBe('nothing')
    expect(failed(sampleSweep())).toBeUndefined()
  })
})

describe("a cell's runs", () => {
  test('all have the sweep and their values', () => {
    const runs = ofCell(cellInput(8))
    expect(runs.map(({ name }) => name)).toEqual([cellInput(8).run.id, 'finetune', 'rfa'])
    for (const { params, tags } of runs) {
      expect(params['sweep.rank']).toBe('8')
      expect(tags[sweepTag]).toBe('ranks-0a1b2c3d')
      expect(tags).not.toHaveProperty('zeroshift.rung')
    }
  })

  test('have no value of what they lack', () => {
    const { run } = cellInput(8)
    const sweep = sampleSweep({ cells: [{ values: [null], runs: [run.id] }] })
    expect(cellOf(sweep, run.id).params).toEqual({})
  })

  test('say of which rung they are, where there is early stopping', () => {
    const sweep = sampleSweep({ cells: [{ values: [2], runs: ['short', 'whole'] }] })
    expect(cellOf(sweep, 'short').tags['zeroshift.rung']).toBe('1')
    expect(cellOf(sweep, 'whole').tags['zeroshift.rung']).toBe('2')
  })

  test('have names that MLflow takes, each column one of its own', () => {
    const columns = ['methods[0].rank', 'methods.0.rank', 'weights.stage3.*'].map((name) => ({
      name,
      path: name,
    }))
    const { run } = cellInput(8)
    const sweep = sampleSweep({ columns, cells: [{ values: [1, 2, 3], runs: [run.id] }] })
    expect(cellOf(sweep, run.id).params).toEqual({
      'sweep.methods.0.rank': '1',
      'sweep.methods.0.rank 2': '2',
      'sweep.weights.stage3._': '3',
    })
    for (const { params, tags, metrics } of [ofSweep({ sweep }), ...ofCell(cellInput(8), sweep)]) {
      for (const name of Object.keys({ ...params, ...tags })) checkName(name)
      for (const metric of metrics) checkMetric(metric)
    }
  })

  test('of one approximate method: the cell has its figures under their plain names', () => {
    const [cell, ...children] = ofCell(cellInput(8, ['rfa']))
    const [rfa] = children
    expect(valueOf(rfa, 'averageGap')).toBeGreaterThan(0)
    for (const name of ['averageGap', 'ra', 'rte']) expect(valueOf(cell, name)).toBe(valueOf(rfa, name))
  })

  test('of several: the cell has them under their labels', () => {
    const [cell, finetune, rfa] = ofCell(cellInput(8))
    expect(valueOf(cell, 'averageGap')).toBeUndefined()
    expect(valueOf(cell, 'finetune/averageGap')).toBe(valueOf(finetune, 'averageGap'))
    expect(valueOf(cell, 'rfa/averageGap')).toBe(valueOf(rfa, 'averageGap'))
  })

  test('of several seeds: the cell has the means, at the step of how many there are', () => {
    const input = sampleInput({
      seeds: [{ rfa: { ra: 98 } }, { rfa: { ra: 99 } }],
      methods: [{ method: 'rfa', steps: 20 }],
    })
    const [cell] = ofCell(input)
    expect(cell?.metrics).toContainEqual(expect.objectContaining({ key: 'ra', value: 98.5, step: 2 }))
  })
})

test('a run that is no cell has no figures of its methods', () => {
  const input = cellInput(8, ['rfa'])
  const [parent] = contentsOf({
    run: { ...input.run, failed: [] },
    rows: resultsBySeed(input),
    manifests: input.manifests,
    nonce: 'nonce',
    startedAt: 1,
    ended: { status: 'FINISHED', at: 2 },
  })
  expect(valueOf(parent, 'averageGap')).toBeUndefined()
})

test('options by the name of a layer have names that MLflow takes', () => {
  const input = sampleInput({ methods: [{ method: 'rfa', steps: 20, weights: { 'conv*': 2, head: 1 } }] })
  const [, rfa] = ofCell(input)
  expect(rfa?.params).toMatchObject({ 'method.weights.conv_': '2', 'method.weights.head': '1' })
})

test("the runs of a sweep are in the experiment that it names, else in one of the sweep's name", () => {
  expect(experimentOf(sampleSweep())).toBe('ranks')
  expect(experimentOf(sampleSweep({ tracking: { uri: 'http://127.0.0.1', experiment: 'other' } }))).toBe(
    'other',
  )
})
