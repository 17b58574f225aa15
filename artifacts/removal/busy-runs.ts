import { folderOf, type Inventory } from './inventory.ts'
import type { StoredRun } from './stored-runs.ts'

/**
 * A holder of a lease shows life three times a heartbeat; one that is silent for two is overtaken
 * (activities/runtime/durable.ts).
 */
const HEARTBEATS = 2
const leaseName = /^stages\/[a-z]+\/[0-9a-f]{64}\/lease\/\d+\.json$/

/**
 * Runs that need a stage whose lease is alive, with the folder of that stage: somebody computes it,
 * for this run or for another one that shares it. Pure. By the store's clock; where the date of the
 * newest object stands for it, a lease that nobody holds any more may seem alive.
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
      .map(({ path }) => folderOf(path))
      .find((folder) => stages?.has(folder))
  return new Map(
    [...runs.values()].flatMap((run) => {
      const stage = stageOf(run)
      return stage === undefined ? [] : [[run.id, stage] as const]
    }),
  )
}
