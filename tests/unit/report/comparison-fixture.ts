import { digestOf } from '../../../common/canonical.ts'
import type { ComparedRun, Comparison } from '../../../experiment/sweep/comparison.ts'
import {
  metricColumns,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../../../experiment/records/results.ts'

/** A sweep of made-up figures: two data sets, four ranks, three targets, some missing runs. */

export const dataSets = ['digits', 'cifar10'] as const
export const ranks = [1, 4, 16, 64] as const
export const targets = ['leave-out', 'nearest-centroid', 'unseen-margin'] as const

const columns = [
  { name: 'data.name', path: 'data.name' },
  { name: 'rank', path: 'methods[2].rank' },
  { name: 'target', path: 'methods[2].target' },
]

export const whyGone = 'stopped by hand: ./zeroshift resume sweep-cifar10-16 goes on with it'

/** A figure that depends on its name and place alone. */
function madeUp(...about: readonly (string | number)[]): number {
  return (parseInt(digestOf(about).slice(0, 8), 16) % 10_000) / 10_000
}

export function row(
  label: string,
  method: string,
  gap: number,
  { rte = 0.1, validated = false }: { readonly rte?: number; readonly validated?: boolean } = {},
): ResultRow {
  const figure = (value: number): Figure => ({ value, interval: value / 12, n: 3 })
  const known: Readonly<Partial<Record<MetricName, Figure>>> = {
    averageGap: figure(gap),
    gapWithoutMia: figure(gap * 0.75),
    ua: figure(96 - gap),
    ra: figure(99.5 - gap / 2),
    ta: figure(93 - gap / 3),
    mia: figure(88 + gap),
    tow: figure(1 - gap / 100),
    activationForget: figure(gap / 40),
    activationRetained: figure(gap / 200),
    jsDivergence: figure(gap / 60),
    rte: figure(rte),
    ...(validated && { validationGap: figure(gap * 1.5) }),
  }
  const names = Object.keys(metricColumns) as MetricName[]
  const metrics = Object.fromEntries(
    names.map((name) => [name, known[name] ?? { missing: `no sample is there for ${name}` }]),
  )
  return { label, method, metrics: metrics as ResultRow['metrics'] }
}

export function sampleComparison(change: Partial<Comparison> = {}): Comparison {
  const runs = dataSets.flatMap((data) =>
    ranks.flatMap((rank) =>
      targets.map((target): ComparedRun => {
        const id = `sweep-${digestOf([data, rank, target]).slice(0, 8)}`
        const chance = madeUp(data, rank, target)
        const base = { 'leave-out': 0.3, 'nearest-centroid': 2.5, 'unseen-margin': 0.8 }[target]
        const gap = (base + 6 / rank) * (data === 'digits' ? 0.4 : 1.3) + 0.3 * chance
        return {
          id,
          values: [data, rank, target],
          link: `../../runs/${id}/report/index.html`,
          command: `./zeroshift run sweep.yaml -S data.name=${data} -S 'methods[2].rank=${rank}' -S 'methods[2].target=${target}'`,
          outcome:
            data === 'cifar10' && rank === 16 && target !== 'unseen-margin'
              ? { missing: target === 'leave-out' ? whyGone : 'the data set was not found' }
              : {
                  digest: digestOf({ id }),
                  rows: [
                    row('original', 'original', 24, { rte: 0 }),
                    row('retrain', 'retrain', 0, { rte: 1 }),
                    row('rfa', 'rfa', gap, { rte: 0.01 * Math.sqrt(rank) * (1 + chance), validated: true }),
                    row('retrain, seed 2', 'retrain', data === 'digits' ? 0.42 : 0.95, { rte: 1 }),
                  ],
                  floor: { value: data === 'digits' ? 0.42 : 0.95, interval: 0.1, n: 3 },
                  seconds: 60 + 10 * rank * chance,
                  failed: [],
                },
        }
      }),
    ),
  )
  return {
    sweep: 'sweep-0a1b2c3d',
    command: './zeroshift sweep sweep.yaml',
    columns,
    runs,
    ...change,
  }
}

/** The first finished run's method row with other figures. */
export function withMetrics(comparison: Comparison, metrics: Partial<ResultRow['metrics']>): Comparison {
  return changedFirst(comparison, (run) => ({
    ...run,
    outcome:
      'missing' in run.outcome
        ? run.outcome
        : {
            ...run.outcome,
            rows: run.outcome.rows.map((row) =>
              row.method === 'rfa' ? { ...row, metrics: { ...row.metrics, ...metrics } } : row,
            ),
          },
  }))
}

export function changedFirst(comparison: Comparison, change: (run: ComparedRun) => ComparedRun): Comparison {
  return { ...comparison, runs: comparison.runs.map((run, i) => (i === 0 ? change(run) : run)) }
}

/** A sweep of `n` runs: three data sets and five other columns. Every tenth run is missing. */
export function manyRuns(n: number): Comparison {
  const columns = ['data.name', 'rank', 'lambda', 'steps', 'learningRate', 'target'].map((name, i) => ({
    name,
    path: i === 0 ? name : `methods[2].${name}`,
  }))
  const pick = <T>(all: readonly T[], i: number, by: number) => all[Math.floor(i / by) % all.length]
  const runs = Array.from({ length: n }, (_, i): ComparedRun => {
    const id = `sweep-${digestOf(i).slice(0, 8)}`
    const rank = pick([1, 4, 16, 64], i, 3) ?? 1
    const learningRate = 10 ** (-4 + 3 * madeUp('rate', i))
    const data = pick([...dataSets, 'svhn'], i, 1) ?? 'digits'
    const gap = 8 / rank + 3 * madeUp('gap', i) + (data === 'svhn' ? 1 : 0)
    return {
      id,
      values: [
        data,
        rank,
        pick([0.5, 1, 2, 4], i, 12) ?? 1,
        pick([0, 50, 100, 200, 400], i, 48) ?? 0,
        learningRate,
        pick(targets, i, 240) ?? null,
      ],
      link: `runs/${id}/index.html`,
      command: `./zeroshift run sweep.yaml -S data.name=${data}`,
      outcome:
        i % 10 === 9
          ? { missing: `out of memory in run ${i}` }
          : {
              digest: digestOf({ i }),
              rows: [row('rfa', 'rfa', gap, { rte: 0.01 + 0.3 * madeUp('rte', i) })],
              floor: { value: 0.5 + data.length / 10 },
              seconds: 60,
              failed: [],
            },
    }
  })
  return { sweep: 'sweep-many', command: './zeroshift sweep sweep.yaml', columns, runs }
}
