import { stageFolderOf, type Inventory } from './inventory.ts'
import type { StoredRun } from './stored-runs.ts'

/**
 * The holder of a lease renews it three times in a heartbeat interval. After two intervals without
 * a renewal, another attempt takes the lease.
 */
const HEARTBEATS = 2
const leaseName = /^stages\/[a-z]+\/[0-9a-f]{64}\/lease\/\d+\.json$/

/**
 * The runs that need a stage which is being computed, for this run or for another one. Maps the id
 * of the run to the folder of the stage. A stage counts as being computed if its lease was renewed
 * lately by the store's clock. If the date of the newest object stands for the clock, an abandoned
 * lease may count as well. Pure.
 */
export function busyRuns({
  now,
  objects,
  runs,
}: Pick<Inventory, 'now' | 'objects' | 'runs'>): ReadonlyMap<string, string> {
  const leases = objects.filter(({ path }) => leaseName.test(path))
  const stageOf = ({ stages, heartbeatSeconds }: StoredRun) =>
    leases
      .filter(({ modified }) => now - modified <= 1000 * HEARTBEATS * heartbeatSeconds)
      .map(({ path }) => stageFolderOf(path))
      .find((folder) => stages?.has(folder))
  return new Map(
    [...runs.values()].flatMap((run) => {
      const stage = stageOf(run)
      return stage === undefined ? [] : [[run.id, stage] as const]
    }),
  )
}
