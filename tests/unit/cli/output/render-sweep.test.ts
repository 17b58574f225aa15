import { describe, expect, test } from 'vitest'
import { sweepWriter } from '../../../../cli/output/render-sweep.ts'
import type { SweepView } from '../../../../cli/output/sweep-progress.ts'

const writer = sweepWriter({
  columns: [
    { name: 'rank', path: 'methods[0].rank' },
    { name: 'target', path: 'methods[0].target' },
  ],
  cells: [1, 2, 4, 8].flatMap((rank) =>
    ['a', 'b'].map((target) => ({ values: [rank, target], runs: [`run-${rank}-${target}`] })),
  ),
})
const stage = { key: 'k', kind: 'train' as const, title: 'train gold' }
const view: SweepView = {
  sweep: {
    id: 'ranks-12345678',
    maxParallel: 2,
    startedAt: 0,
    rungs: 1,
    cells: 8,
    done: 4,
    cached: 1,
    incomplete: 1,
    stopped: 0,
    running: [
      { cell: 4, rung: 0, run: 'run-4-a' },
      { cell: 5, rung: 0, run: 'run-4-b' },
    ],
    failures: [{ cell: 1, run: 'run-1-b', reason: 'train gold: the loss is not\n finite' }],
  },
  runs: [
    {
      cell: 4,
      rung: 0,
      run: 'run-4-a',
      progress: {
        id: 'run-4-a',
        stages: [
          { ...stage, key: 'a', state: 'cached' },
          { ...stage, state: 'running', step: 50, steps: 100, startedAt: 110_000, steppedAt: 120_000 },
        ],
      },
    },
    { cell: 5, rung: 0, run: 'run-4-b' },
  ],
  retries: [],
  workers: [
    { identity: '12@one', queues: ['zeroshift', 'zeroshift-train'], seenAt: 119_000 },
    { identity: '13@two', queues: ['zeroshift'], seenAt: 118_000 },
    { identity: '14@gone', queues: ['zeroshift'], seenAt: 1_000 },
  ],
}

describe('the display of a sweep', () => {
  test('shows cells, what each run is doing, what failed and why, the rate and the workers', () => {
    expect(writer.render(view, 120, 120_000, false)).toBe(
      [
        'ranks-12345678 · 2 at a time',
        '  cells     ✓ █████████████░░░░░░░  4 of 8 done · 1 cached · 1 without some stages, which failed · 1 failed',
        '  running   › rank 4, target a  1/2 stages  train gold  ██████████░░░░░░░░░░  50/100  5.0/s  10 s left',
        '            › rank 4, target b',
        '            · 1 waiting',
        '  failed    ✗ rank 1, target b: train gold: the loss is not finite',
        '  time      · 2 min 0 s so far · 2.0 cells a minute · about 1 min 30 s left',
        '  workers   · 2 workers, 1 of them training: 12@one (1.0 s ago), 13@two (2.0 s ago)',
      ].join('\n'),
    )
  })

  test('is the same in colour, but for the colours', () => {
    const coloured = writer.render(view, 120, 120_000, true)
    expect(coloured).toContain('\x1b[2m')
    // eslint-disable-next-line no-control-regex
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(writer.render(view, 120, 120_000, false))
  })

  test('fits every line into the terminal', () => {
    for (const width of [40, 80])
      for (const line of writer.render(view, width, 120_000, false).split('\n'))
        expect(line.length).toBeLessThanOrEqual(width)
  })

  test('in a log says what began, what failed and how many are done, each once', () => {
    expect(writer.changedLines(undefined, view, 120_000, false)).toEqual([
      'rank 4, target a …',
      'rank 4, target b …',
      'rank 1, target b: failed: train gold: the loss is not finite',
    ])
    expect(writer.changedLines(view, view, 121_000, false)).toEqual([])
    const later = { ...view, sweep: { ...view.sweep, done: 5, running: view.sweep.running.slice(1) } }
    expect(writer.changedLines(view, later, 121_000, false)).toHaveLength(1)
  })
})
