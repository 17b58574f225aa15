import { mapConcurrently } from '../../common/concurrency.ts'
import { UserError } from '../../common/errors.ts'
import { labelsFlaw, type RunLabels } from '../../experiment/records/run-labels.ts'
import { print, printJson } from '../output/print.ts'
import { artifactsIn } from './existing-store.ts'
import { runIdIn } from './named-run.ts'
import { runRecordIn } from './workspace.ts'

/** The labels of one run. */
interface LabelledRun extends RunLabels {
  readonly id: string
}

const none: RunLabels = { tags: [] }

/**
 * Changes the labels of a run in a store. Nothing is written if the change leaves them as they are.
 * Returns the labels after the change. Throws a UserError for an unknown run and for too many
 * labels.
 */
export async function changeLabels(
  word: string,
  store: string | undefined,
  change: (before: RunLabels) => RunLabels,
): Promise<LabelledRun> {
  const artifacts = await artifactsIn(store)
  const { id } = await runRecordIn(artifacts, await runIdIn(artifacts.store, word))
  const before = (await artifacts.labels(id)) ?? none
  const after = change(before)
  const flaw = labelsFlaw(after)
  if (flaw !== undefined) throw new UserError(`${id}: ${flaw}`)
  if (JSON.stringify(after) !== JSON.stringify(before)) await artifacts.putLabels(id, after)
  return { id, ...after }
}

/** Returns the labels of all runs of a store that have some, by id. */
export async function labelsIn(store: string | undefined): Promise<ReadonlyMap<string, RunLabels>> {
  const artifacts = await artifactsIn(store)
  const ids = (await artifacts.store.list('runs/')).flatMap(
    ({ path }) => /^runs\/([^/]+)\/labels\.json$/.exec(path)?.[1] ?? [],
  )
  const found = await mapConcurrently(ids, async (id) => [id, await artifacts.labels(id)] as const)
  return new Map(found.flatMap(([id, labels]) => (labels ? [[id, labels] as const] : [])))
}

export function printLabels({ id, tags, note }: LabelledRun, json: boolean): void {
  if (json) printJson({ id, tags, note: note ?? null })
  else {
    print(`${id}: ${tags.length === 0 ? 'no tags' : tags.join(', ')}`)
    if (note !== undefined) print(note)
  }
}
