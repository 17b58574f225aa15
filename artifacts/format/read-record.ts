import { digestOf } from '../../common/canonical.ts'
import { runId, type RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stageFlaw } from './read-manifest.ts'

/**
 * The flaw of a run's record, such as a plan that does not belong to the id. Returns undefined if
 * the record is valid. Pure.
 */
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

/** The id of a run, or, for a verification, the id of the run that it computes again. */
function plannedId(id: string): string {
  return /^verify\.(.+)\.[0-9a-f]{8}$/.exec(id)?.[1] ?? id
}
