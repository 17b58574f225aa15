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
import type { RunEntry, RunView } from '../../ui/contract.ts'

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
