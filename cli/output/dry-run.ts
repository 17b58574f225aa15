import { StoreView } from '../../artifacts/store-view.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import { replayCost, type ReplayCost } from '../../experiment/plan/replay-cost.ts'
import { sisaCosts, type SisaCost } from '../../experiment/plan/sisa-cost.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { printChangedCode } from './changed-code.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { estimateFrom, estimateLine, jsonEstimate } from './estimate.ts'
import { counted } from './format.ts'
import { columns, pathOrUrl } from './print.ts'
import type { Output } from './output.ts'

/**
 * Prints all stages of a run in a table that says which results are in the store. Returns the exit
 * code.
 */
export async function printPlan(
  { run: { id, plan }, settings }: RunInput,
  { printLine, answer }: Output,
): Promise<number> {
  printChangedCode([{ plan }], { printLine })
  const artifacts = await artifactsIn(settings.store)
  const view = new StoreView(artifacts)
  const all = stagesOf(plan)
  const planned = await Promise.all(
    all.map(async ({ kind, title, key }) => {
      const cached = (await view.complete({ kind, key })) !== undefined
      return { kind, title, key, cached }
    }),
  )
  const cached = planned.filter((stage) => stage.cached).length
  const stages = { computed: planned.length - cached, cached }
  const rows = planned.map(({ kind, title, key, cached }) => [
    kind,
    title,
    key.slice(0, 12),
    cached ? 'cached' : 'to compute',
  ])
  printLine(`${id}, results in ${pathOrUrl(settings.store)}`)
  printLine(columns([['STAGE', 'TITLE', 'KEY', 'STATE'], ...rows]))
  printLine(`${counted(planned.length, 'stage')}: ${stages.computed} to compute, ${stages.cached} cached`)
  const there = new Set(planned.flatMap((stage) => (stage.cached ? [stage.key] : [])))
  const estimate = await estimateFrom(
    artifacts,
    all.filter(({ key }) => !there.has(key)),
  )
  if (stages.computed > 0) printLine(estimateLine(estimate))
  const replay = replayCost(plan)
  if (replay) printLine(replayText(replay))
  const sisa = sisaCosts(plan)
  for (const cost of sisa) printLine(sisaText(cost))
  return answer(0, {
    ...{ id, status: 'planned', stages, plan: planned, estimate: jsonEstimate(estimate) },
    ...(replay && { replay }),
    ...(sisa.length > 0 && { sisa }),
  })
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`

function sisaText({ label, shards, slices, expectedShare: { forgetSet, oneSample } }: SisaCost): string {
  const whole = forgetSet === undefined ? '' : `${percent(forgetSet)} for the forget set, and `
  return (
    `${label} is expected to repeat, of the training of ${counted(shards, 'shard')} in ` +
    `${counted(slices, 'slice')}, ${whole}${percent(oneSample)} for one random sample`
  )
}

function replayText({ steps, keptSteps, expectedShare: { forgetSet, oneSample } }: ReplayCost): string {
  const whole = forgetSet === undefined ? '' : `${percent(forgetSet)} for the forget set, and `
  return (
    `replay is expected to repeat, of the training's ${counted(steps, 'step')}, ${whole}${percent(oneSample)} ` +
    `for one random sample; states are kept after steps ${keptSteps.join(', ')}`
  )
}
