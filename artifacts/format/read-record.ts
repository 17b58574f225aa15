import { digestOf } from '../../common/canonical.ts'
import { runId, type RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stageFlaw } from './read-manifest.ts'

/** What is wrong with the record of a run; undefined: its plan is the one that its id stands for. Pure. */
export function recordFlaw(value: unknown, id: string): string | undefined {
  const record = value as RunRecord
  try {
    if (!Array.isArray(record.command.overrides)) return 'it is no whole record of a run'
    if (record.id !== id) return `it is the record of ${record.id}`
    const expected = runId(record.spec.name, record.plan)
    if (plannedId(id) !== expected) return `its name and its plan give the id ${expected}`
    if (digestOf(record.facts) !== digestOf(record.plan.dataset.params.facts))
      return 'its data is not that of its plan'
    return stagesOf(record.plan)
      .map(stageFlaw)
      .find((flaw) => flaw !== undefined)
  } catch {
    return 'it is no whole record of a run'
  }
}

/** The id of the run that a verification computes again. */
function plannedId(id: string): string {
  return /^verify\.(.+)\.[0-9a-f]{8}$/.exec(id)?.[1] ?? id
}
