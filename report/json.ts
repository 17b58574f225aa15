import { canonicalJson, digestOf } from '../common/canonical.ts'
import { manifestDigest, type Environment } from '../experiment/records/manifest.ts'
import type { Figure, ResultRow } from '../experiment/records/results.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import { commandOf } from './command.ts'
import type { Judgement } from './judgement/judge.ts'
import { whyMissing, type ReportInput } from './input.ts'
import { checkOracle } from './oracle.ts'
import { floorGap, forgottenTest, resultsBySeed } from './results.ts'
import { costRows } from './sections/cost.ts'
import { programFigureRows } from './sections/program-figures.ts'
import { chartStageSections } from './sections/charts.ts'
import { stageSections } from './sections/stage-sections.ts'

/**
 * `report.json`: the computed results, their digest, the blobs of the stages, and separately values
 * of clocks and hosts and the labels of the run. It suffices to compute the run again and to
 * compare the results (report/verification.ts). Figures that programs reported are beside the
 * computed results, whose digest covers them through the digests of the stages.
 */
export function renderJson(
  input: ReportInput,
  rows: readonly ResultRow[],
  judgement: Judgement,
): { readonly json: string; readonly digest: string } {
  const { run, manifests } = input
  const stages = stagesOf(run.plan)
  const parts = [...stageSections, ...chartStageSections].flatMap(({ computed }) => {
    const part = computed?.of(input)
    return computed && part !== undefined ? [[computed.key, part] as const] : []
  })
  const computed = {
    spec: run.spec,
    data: run.facts,
    stages: stages.map((stage) => {
      const { kind, key, title, code } = stage
      const manifest = manifests[key]
      return {
        kind,
        key,
        title,
        ...(code !== undefined && { code }),
        ...(manifest ? { digest: manifestDigest(manifest) } : { missing: whyMissing(input, [stage]) }),
      }
    }),
    results: rows.map(withoutTime),
    judgement,
    ...(run.plan.seeds && { seeds: resultsBySeed(input).map((one) => one.map(withoutTime)) }),
    ...Object.fromEntries(parts),
    forgottenTest: forgottenTest(input),
    floor: (floorGap(input) ?? { missing: 'no two gold models were compared' }) satisfies Figure,
    oracle: checkOracle(input),
  }
  const digest = digestOf(computed)
  const blobs = Object.fromEntries(
    stages.flatMap(({ key }) => {
      const manifest = manifests[key]
      return manifest ? [[key, manifest.outputs]] : []
    }),
  )
  const clock = {
    command: commandOf(run),
    ...(input.labels && { labels: input.labels }),
    environments: environmentsOf(input),
    cost: costRows(input).map(({ label, seeds }) => ({ label, seeds })),
    rte: rows.map(({ label, metrics, timesOverlapped }) => ({
      label,
      rte: metrics.rte,
      ...(timesOverlapped && { timesOverlapped }),
    })),
    stages: stages.flatMap(({ key, title }) => {
      const manifest = manifests[key]
      return manifest
        ? [
            {
              key,
              title,
              seconds: manifest.clock.seconds,
              finishedAt: manifest.clock.finishedAt,
              ...(manifest.clock.otherWork && { otherWork: manifest.clock.otherWork }),
            },
          ]
        : []
    }),
  }
  const programFigures = programFigureRows(input)
  const content = { computed, digest, blobs, clock, ...(programFigures && { programFigures }) }
  return { json: `${sortedJson(content)}\n`, digest }
}

/** A row without the values of clocks: RTE, and whether times overlapped with other work. */
export function withoutTime({ timesOverlapped: _, metrics: { rte: __, ...metrics }, ...row }: ResultRow) {
  return { ...row, metrics }
}

/** Indented JSON with sorted keys. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)
}

/**
 * The distinct environments of the stages. Environments without TensorFlow are left out if a stage
 * on the same host used it.
 */
export function environmentsOf({ run, manifests }: ReportInput): readonly Environment[] {
  const all = stagesOf(run.plan).flatMap(({ key }) => manifests[key]?.clock.environment ?? [])
  const distinct = [...new Map(all.map((environment) => [canonicalJson(environment), environment])).values()]
  const host = ({ tensorflow: _, ...rest }: Environment) => canonicalJson(rest)
  const withTensorflow = new Set(distinct.filter(({ tensorflow }) => tensorflow).map(host))
  return distinct.filter((environment) => environment.tensorflow ?? !withTensorflow.has(host(environment)))
}
