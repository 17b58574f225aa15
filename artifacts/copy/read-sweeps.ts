import { mapConcurrently } from '../../common/concurrency.ts'
import { sha256 } from '../../common/canonical.ts'
import { parseJson } from '../../common/json.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { sweepPath, sweepReportPath } from '../format/layout.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ContainedSweep, Flaw } from './contained.ts'
import { idsBelow } from './list-store.ts'

/**
 * Reads the records of sweeps, by id. Damaged ones are added to the flaws. ids: those to read; ids
 * of runs among them are left out. The default is all.
 */
export async function readSweeps(
  store: ObjectStore,
  ids: readonly string[] | undefined,
  flaws: Flaw[],
): Promise<ReadonlyMap<string, ContainedSweep>> {
  const all = ids ?? (await idsBelow(store, 'sweeps', 'sweep.json'))
  const sweeps = await mapConcurrently(all, async (id) => {
    const path = sweepPath(id)
    const bytes = await store.get(path)
    if (!bytes) return []
    try {
      const { cells, failures = [], ...sweep } = parseJson(bytes) as SweepRecord
      if (sweep.id !== id) throw new Error(`it is the record of ${sweep.id}`)
      const runs = [...new Set(cells.flatMap((cell) => cell.runs))]
      const hasReport = (await store.size(sweepReportPath(id))) !== undefined
      const record = { path, bytes: bytes.length, sha256: sha256(bytes) }
      return [{ id, record, runs, cells: cells.length, failures: failures.length, hasReport }]
    } catch {
      flaws.push({ path, what: `it is no whole record of the sweep ${id}` })
      return []
    }
  })
  return new Map(sweeps.flat().map((sweep) => [sweep.id, sweep]))
}
