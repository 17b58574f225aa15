import type { Artifacts } from '../../../artifacts/artifacts.ts'
import type { RunRecord } from '../../../experiment/records/run.ts'
import { RefusedRequest } from './answer.ts'

/** Returns the record of a run. Throws a RefusedRequest if the store has none. */
export async function runRecord(artifacts: Artifacts, id: string): Promise<RunRecord> {
  const record = await artifacts.run(id)
  if (record) return record
  throw new RefusedRequest(
    404,
    `the store has no run '${id}'`,
    'the list of runs has those that there are; a run may have been removed, or be in another store',
  )
}
