import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedRunLines, renderProgress, runWriterWith } from '../../../../cli/output/render-run.ts'
import type { RunProgress, StageProgress, StageState } from '../../../../experiment/records/run.ts'
import type { StageKind } from '../../../../experiment/stages/stage.ts'

const stage = (title: string, kind: StageKind, rest: Partial<StageProgress>): StageProgress => ({
  key: title,
  kind,
  title,
  state: 'waiting',
  ...rest,
})

const now = 1_700_000_010_000
const midway: RunProgress = {
  id: 'digits-0a1b2c3d',
  stages: [
    stage('read digits', 'dataset', { state: 'cached', seconds: 0.1 }),
    stage('split by class', 'split', { state: 'computed', seconds: 0.2 }),
    stage('train original', 'train', { state: 'computed', seconds: 3 }),
    stage('train gold', 'train', {
      state: 'running',
      step: 300,
      steps: 900,
      loss: 0.02135,
      startedAt: now - 10_000,
    }),
    stage('train gold, seed 2', 'train', { state: 'waiting' }),
    stage('unlearn by rfa', 'unlearn', { state: 'failed', error: 'the loss is\nnot finite' }),
    stage('evaluate rfa', 'evaluate', {}),
  ],
}

describe('the live display', () => {
  test('collapses what is done, and shows steps, loss, rate and estimate of what runs', () => {
    expect(renderProgress(midway, 120, now)).toBe(
      [
        'digits-0a1b2c3d',
        '  data        ✓ read digits, split by class · 1 cached · 0.2 s',
        '  models      ✓ 1 of 3 done · 3.0 s',
        '              › train gold  ███████░░░░░░░░░░░░░  300/900  loss 0.02135  30/s  20 s left',
        '              · 1 waiting',
        '  unlearning  ✗ unlearn by rfa: the loss is not finite',
        '  evaluation  · 1 waiting',
      ].join('\n'),
    )
  })

  test('sets apart what waits for another run, by name where that is short', () => {
    const titles = ['gold', 'gold, seed 2', 'gold, seed 3', 'gold, seed 4']
    const shown = (count: number) =>
      renderProgress(
        {
          id: 'x',
          stages: titles.map((title, i) => stage(title, 'train', i < count ? { elsewhere: true } : {})),
        },
        80,
        now,
      )
    expect(shown(2)).toBe(
      'x\n  models      · gold, gold, seed 2 · computed by another run\n              · 2 waiting',
    )
    expect(shown(4)).toBe('x\n  models      · 4 · computed by another run')
  })

  test('has no colour codes unless asked for', () => {
    const escape = String.fromCharCode(27)
    expect(renderProgress(midway, 120, now)).not.toContain(escape)
    expect(renderProgress(midway, 120, now, true)).toContain(escape)
  })

  const kinds: StageKind[] = ['dataset', 'split', 'train', 'unlearn', 'evaluate', 'attack', 'compare']
  const states: StageState[] = ['waiting', 'running', 'computed', 'cached', 'failed']
  const anyStage = fc.record(
    {
      key: fc.uuid(),
      kind: fc.constantFrom(...kinds),
      title: fc.string(),
      state: fc.constantFrom(...states),
      step: fc.nat(),
      steps: fc.nat(),
      loss: fc.double(),
      startedAt: fc.nat(),
      steppedAt: fc.nat(),
      seconds: fc.double({ min: 0, max: 1e7, noNaN: true }),
      elsewhere: fc.boolean(),
      error: fc.string(),
    },
    { requiredKeys: ['key', 'kind', 'title', 'state'] },
  )

  test('never writes past the edge, whatever it is given', () => {
    fc.assert(
      fc.property(fc.array(anyStage), fc.integer({ min: 30, max: 200 }), fc.nat(), (stages, width, now) => {
        const lines = renderProgress({ id: 'x', stages }, width, now).split('\n')
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
      }),
    )
  })

  test('shows no estimate before the first step, and none that is not a number', () => {
    const starting = {
      ...midway,
      stages: [stage('t', 'train', { state: 'running', step: 0, steps: 9, startedAt: now })],
    }
    expect(renderProgress(starting, 80, now)).toContain('0/9')
    expect(renderProgress(starting, 80, now)).not.toMatch(/left|NaN|Infinity/)
  })
})

test('between two reports of steps the rate stands still, and the estimate goes on', () => {
  const at = (later: number) =>
    renderProgress(
      {
        id: 'x',
        stages: [
          stage('t', 'train', {
            state: 'running',
            step: 10,
            steps: 50,
            startedAt: now - 1000,
            steppedAt: now,
          }),
        ],
      },
      80,
      now + later,
    )
  expect(at(0)).toContain('10/s  4.0 s left')
  expect(at(1000)).toContain('10/s  3.0 s left')
})

describe('lines for logs', () => {
  test('one when a stage begins and one when it ends, none between', () => {
    const at = (rest: Partial<StageProgress>): RunProgress => ({
      id: 'x',
      stages: [stage('train', 'train', rest)],
    })
    const moments = [
      at({}),
      at({ state: 'running' }),
      at({ state: 'running', step: 5, steps: 10 }),
      at({ state: 'computed', seconds: 61 }),
    ]
    const lines = moments.flatMap((after, i) => changedRunLines(moments[i - 1], after, now, false))
    expect(lines).toEqual(['train …', 'train: done in 1 min 1 s'])
  })

  test('one when a stage is left to another run, none while it is, and one when it is done', () => {
    const at = (rest: Partial<StageProgress>): RunProgress => ({
      id: 'x',
      stages: [stage('train', 'train', rest)],
    })
    const moments = [at({}), at({ elsewhere: true }), at({ elsewhere: true }), at({ state: 'cached' })]
    const lines = moments.flatMap((after, i) => changedRunLines(moments[i - 1], after, now, true))
    expect(lines).toEqual(['train: computed by another run', 'train: cached'])
  })

  test('one about the progress where it is time for one', () => {
    expect(changedRunLines(midway, midway, now, true)).toEqual([
      'train gold: 300/900  loss 0.02135  30/s  20 s left',
    ])
  })

  test('a stage that nobody looked at while it ran still has its line', () => {
    const after: RunProgress = { id: 'x', stages: [stage('split', 'split', { state: 'cached' })] }
    expect(changedRunLines(undefined, after, now, false)).toEqual(['split: cached'])
  })
})

test('the time that is left counts what runs by its pace and what waits by the estimate', () => {
  const last = (seconds: ReadonlyMap<string, number>) =>
    runWriterWith(seconds).render(midway, 120, now, false).split('\n').at(-1)
  expect(
    last(
      new Map([
        ['train gold, seed 2', 40],
        ['evaluate rfa', 2],
      ]),
    ),
  ).toBe('  time        · about 1 min 2 s of work left')
  expect(last(new Map([['train gold, seed 2', 40]]))).toBe(
    '  time        · about 1 min 0 s of work left, without 1 stage of unknown length',
  )
})
