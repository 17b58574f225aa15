import { sweepSchema } from '../../../experiment/sweep/space.ts'
import type { SweepRecord } from '../../../experiment/sweep/sweep.ts'
import type { ReportInput } from '../../../report/report.ts'
import { sampleInput } from '../report/fixtures.ts'

/** A sweep of made-up figures: two ranks, and two methods each. */

export const ranks = [2, 8] as const

/** The cell of a rank. Of the methods, `rfa` alone has one, and the higher is closer to gold. */
export function cellInput(rank: number, methods = ['finetune', 'rfa']): ReportInput {
  return sampleInput({
    gold: 1,
    models: { rfa: { ra: 100 - 8 / rank } },
    methods: methods.map((method) =>
      method === 'finetune' ? { method, epochs: 1 } : { method, steps: 20, rank },
    ),
  })
}

export function sampleSweep(change: Partial<SweepRecord> = {}): SweepRecord {
  return {
    id: 'ranks-0a1b2c3d',
    name: 'ranks',
    command: { config: 'ranks.yaml', overrides: [] },
    space: sweepSchema.parse({
      name: 'ranks',
      base: 'digits.yaml',
      set: { 'training.epochs': 5 },
      grid: { 'methods[1].rank': ranks },
    }),
    columns: [{ name: 'rank', path: 'methods[1].rank' }],
    cells: ranks.map((rank) => ({ values: [rank], runs: [cellInput(rank).run.id] })),
    ...change,
  }
}
