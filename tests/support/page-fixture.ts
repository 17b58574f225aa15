import { stringify } from 'yaml'
import type { RunProgress } from '../../experiment/records/run.ts'
import { modelName } from '../../experiment/spec/model.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { commandOf } from '../../report/command.ts'
import { describeSplit } from '../../report/describe.ts'
import { judge, withStandings } from '../../report/judgement/judge.ts'
import { renderJson } from '../../report/json.ts'
import type { ReportInput } from '../../report/report.ts'
import { results } from '../../report/results.ts'
import { documentOf } from '../../report/sections/document.ts'
import type { RunEntry, RunView, StoreView, SweepCell, SweepReport, SweepView } from '../../ui/contract.ts'
import { columnsOf } from '../../ui/sweep-columns.ts'

/** Answers for the page, made from runs of made-up figures. */

export function runEntry(input: ReportInput, more: Partial<RunEntry> = {}): RunEntry {
  const { id, spec, facts, plan } = input.run
  const all = stagesOf(plan).length
  const done = Object.keys(input.manifests).length
  return {
    id,
    name: spec.name,
    state: 'completed',
    dataset: facts.name,
    model: modelName(spec.model),
    split: describeSplit(spec.split, facts),
    methods: plan.candidates.map(({ label }) => label),
    tags: [],
    startedAt: '2025-11-24T10:00:00.000Z',
    seconds: 125,
    stages: { all, done, running: 0, failed: input.failed.length },
    failures: input.failed.map(({ title, reason }) => ({ title, reason })),
    hasReport: true,
    ...more,
  }
}

export function runView(input: ReportInput, more: Partial<RunEntry> = {}): RunView {
  const judgement = judge(input)
  const rows = withStandings(results(input), judgement)
  const { digest } = renderJson(input, rows, judgement)
  return {
    entry: runEntry(input, more),
    document: documentOf(input, rows, judgement, digest),
    rows,
    config: stringify(input.run.spec),
    command: commandOf(input.run),
    digest,
    views: { samples: false, features: false },
    tables: { latex: '% results\n', csv: 'Model\r\n' },
  }
}

/** The progress of a run whose first stages are done and whose next one is running. */
export function runProgress({ run }: ReportInput, done: number, now: number): RunProgress {
  return {
    id: run.id,
    stages: stagesOf(run.plan).map(({ key, kind, title }, i) => ({
      ...{ key, kind, title },
      ...(i < done
        ? { state: 'computed' as const, seconds: 1.5 }
        : i === done
          ? {
              state: 'running' as const,
              ...{ step: 40, steps: 120, loss: 0.4213, startedAt: now - 20_000, steppedAt: now },
            }
          : { state: 'waiting' as const }),
    })),
  }
}

/** The comparison of such a sweep, without figures. */
export const sampleSweepReport: SweepReport = {
  document: { title: 'ranks', kind: 'Sweep', lead: 'Ranks of rfa.', sections: [], footer: 'Sweep ranks.' },
  tables: { latex: '', csv: '' },
}

/** A sweep of made-up figures with four parameters, of which the last cells are not finished. */
export function sweepView(cells: number): SweepView {
  const ranks = ['1', '2', '4', '8', '16']
  const rates = ['0.0001', '0.001', '0.01']
  const targets = ['retained-mean', 'none']
  const all = Array.from({ length: cells }, (_, i): SweepCell => {
    const [rank, rate] = [i % ranks.length, Math.floor(i / ranks.length) % rates.length]
    const target = Math.floor(i / 15) % targets.length
    const isDone = i < cells * 0.9
    const gap = 0.4 + rate * 1.7 + Math.abs(rank - 2) * 0.6 + target * 0.9 + (i % 97) / 60
    return {
      run: `cell-${i}`,
      state: isDone ? 'completed' : i < cells * 0.9 + 2 ? 'running' : 'waiting',
      values: {
        rank: ranks[rank] ?? '',
        learningRate: rates[rate] ?? '',
        target: targets[target] ?? '',
        seed: String(Math.floor(i / 30)),
      },
      rows: isDone ? [{ label: 'rfa', gap, rte: 0.02 * (rank + 1) + (i % 13) / 100 }] : [],
    }
  })
  const done = all.filter(({ state }) => state === 'completed').length
  return {
    entry: {
      ...{ id: 'ranks-1234', name: 'ranks', state: 'running', cells, done, failed: 0 },
      startedAt: '2025-11-24T10:00:00.000Z',
    },
    progress: {
      ...{ id: 'ranks-1234', maxParallel: 2, startedAt: 0, rungs: 1, cells, done, cached: 0, incomplete: 0 },
      stopped: 0,
      running: [done, done + 1].map((cell) => ({ cell, rung: 0, run: `cell-${cell}` })),
      failures: [],
    },
    parameters: ['rank', 'learningRate', 'target', 'seed'],
    cells: columnsOf(all),
  }
}

export const sampleStore: StoreView = {
  bytes: 1_234_567_890,
  runs: [
    { id: 'digits-class-8eaa56e6', kind: 'run', own: 1_200_000, shared: 34_000_000 },
    { id: 'cifar-class-1234abcd', kind: 'run', own: 890_000_000, shared: 34_000_000 },
  ],
  kinds: [
    { kind: 'train', stages: 12, bytes: 900_000_000 },
    { kind: 'unlearn', stages: 60, bytes: 300_000_000 },
    { kind: 'evaluate', stages: 80, bytes: 1_000_000 },
  ],
  records: 230_000,
  unneeded: 5_600_000,
  check: { finishedAt: '2025-11-24T11:00:00.000Z', faults: 0, stages: 152, blobs: 420 },
}
