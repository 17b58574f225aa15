import { mapConcurrently } from '../../common/concurrency.ts'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { parseJson } from '../../common/json.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import { runLabelsSchema } from '../../experiment/records/run-labels.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import { labelsPath, ownPath, runPath } from '../format/layout.ts'
import { recordFlaw } from '../format/read-record.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ContainedRun, ContainedSweep, ContentsOptions, Flaw } from './contained.ts'
import { idsBelow } from './list-store.ts'
import { readReport } from './read-report.ts'

/**
 * Reads the records and reports of runs, by id: those of `ids` and of the given sweeps. Damaged
 * ones are added to the flaws. Throws a UserError if the store lacks one of the ids.
 */
export async function readRuns(
  store: ObjectStore,
  {
    ids,
    sweeps,
    wantsReport,
    reportFlaw,
    has,
    flaws,
  }: ContentsOptions & {
    readonly sweeps: ReadonlyMap<string, ContainedSweep>
    readonly has: (stage: StageRef) => boolean
    flaws: Flaw[]
  },
): Promise<ReadonlyMap<string, ContainedRun>> {
  const ofSweeps = [...sweeps.values()].flatMap(({ runs }) => runs)
  const named = ids?.filter((id) => !sweeps.has(id))
  const all = named ? [...new Set([...named, ...ofSweeps])] : await idsBelow(store, 'runs', '')
  // Saves memory: runs share stages, and each reference is kept once.
  const refs = new Map<string, StageRef>()
  const kept = ({ kind, key }: StageRef) => {
    const ref = refs.get(key) ?? { kind, key }
    refs.set(key, ref)
    return ref
  }
  const runs = await mapConcurrently(all, async (id) => {
    const path = runPath(id)
    const bytes = await store.get(path)
    if (!bytes && named?.includes(id))
      throw new UserError(`the store ${store.url} has no run and no sweep '${id}'; expected the id of one`)
    const record = bytes && parseJson(bytes)
    const flaw = bytes ? recordFlaw(record, id) : 'it is missing'
    if (!bytes || flaw !== undefined) {
      flaws.push({ path, what: flaw ?? 'it is missing' })
      return []
    }
    const run = record as RunRecord
    const stages = stagesOf(run.plan).map(kept)
    const report = wantsReport(id, stages, has)
      ? await readReport(store, run, { reportFlaw, flaws })
      : undefined
    const contained: ContainedRun = {
      ...{ id, stages, record: { path, bytes: bytes.length, sha256: sha256(bytes) } },
      attachments: attachmentsOf(run.plan),
      failed: run.failed?.length ?? 0,
      isOwn: (await store.size(ownPath(id))) !== undefined,
      ...(await readLabels(store, id, flaws)),
      ...(report && { report }),
    }
    return [[id, contained] as const]
  })
  const found = new Map(runs.flat())
  for (const { id, record, runs: needed } of sweeps.values()) {
    const lost = needed.find((run) => !found.has(run))
    if (lost !== undefined)
      flaws.push({ path: record.path, what: `the run ${lost} of ${id} has no record that holds` })
  }
  return found
}

/** Reads and verifies the labels of a run. Damaged ones are added to the flaws. */
async function readLabels(
  store: ObjectStore,
  id: string,
  flaws: Flaw[],
): Promise<Pick<ContainedRun, 'labels'>> {
  const path = labelsPath(id)
  const bytes = await store.get(path)
  if (!bytes) return {}
  if (runLabelsSchema.safeParse(parseJson(bytes)).success)
    return { labels: { path, bytes: bytes.length, sha256: sha256(bytes) } }
  flaws.push({ path, what: 'these are no tags and note of a run; delete the file, or write them again' })
  return {}
}
