import { openStore } from '../../artifacts/store/open-store.ts'
import type { Freed, Removal } from '../../artifacts/removal/plan-removal.ts'
import { size } from '../../common/size.ts'
import { quoted } from '../../report/command.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'
import { idsIn } from '../workspace/named-run.ts'
import { previewRemoval, removeFrom, type RemovalResult } from '../server/removal.ts'
import { counted, dateText } from '../output/format.ts'
import { bytesOf, objectsOf, summaryOf } from '../output/garbage-table.ts'
import { graceOf } from '../options/period.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, columns, print, printJson, pathOrUrl } from '../output/print.ts'

interface RmOptions {
  readonly delete?: true
  readonly cells?: true
  readonly grace: string
  readonly json?: true
  readonly store?: string
  readonly temporal?: string
}

/**
 * `zeroshift rm ID...`: lists what is removed with these runs and sweeps. Removes it with
 * `--delete`.
 */
export async function rm(words: readonly string[], options: RmOptions): Promise<number> {
  const grace = graceOf(options.grace)
  const cells = options.cells ?? false
  const url = storeFor(options.store)
  await refuseNonDirectory(url, { mayBeMissing: false })
  const ids = await idsIn(openStore(url), words)
  const removal = { ids, grace, cells, temporal: options.temporal }
  const result = options.delete ? await removeFrom(url, removal) : await previewRemoval(url, removal)
  if (options.json) printJson(jsonOf(url, result))
  else for (const line of reportLines(url, result, ids, options)) print(line)
  return 0
}

/**
 * The bytes of the store after the removal. In a preview these are the bytes after everything that
 * nothing else needs has gone.
 */
function bytesAfter({ removal, freed, before, removed }: RemovalResult): number {
  const isGone = ({ id }: { readonly id: string }) =>
    removed === undefined || removed.runs.includes(id) || removed.sweeps.includes(id)
  const records = [...removal.runs, ...removal.sweeps].filter(isGone).flatMap(({ objects }) => objects)
  const parts = [...objectsOf(freed.now), ...(removed ? [] : objectsOf(freed.later))]
  return before - bytesOf(records) - bytesOf(parts)
}

function jsonOf(store: string, result: RemovalResult): object {
  const { removal, freed, busy, removed } = result
  const { sweeps, runs, staying } = removal
  const unit = ({ id, name, date }: Removal['runs'][number] | Removal['sweeps'][number]) => ({
    ...{ id, name, date: new Date(date).toISOString() },
  })
  const gone =
    (kind: 'sweeps' | 'runs') =>
    ({ id }: { readonly id: string }) =>
      removed === undefined || removed[kind].includes(id)
  return {
    ...{ store, deleted: removed !== undefined },
    bytes: { before: result.before, after: bytesAfter(result) },
    sweeps: sweeps.filter(gone('sweeps')).map(unit),
    runs: runs.filter(gone('runs')).map(unit),
    ...{ staying, restarted: removed?.restarted ?? [], busy: [...busy.keys()] },
    ...{ freed: summaryOf(freed.now), later: summaryOf(freed.later) },
    shared: { stages: freed.shared.stages, bytes: bytesOf(freed.shared.objects), runs: freed.shared.runs },
    unknownRuns: freed.unknown.map(({ id }) => `runs/${id}`),
  }
}

function reportLines(
  store: string,
  result: RemovalResult,
  ids: readonly string[],
  options: RmOptions,
): readonly string[] {
  const { removal, freed, busy, removed, before } = result
  const { yellow } = coloursOf(process.stdout)
  const { sweeps, runs, staying } = removal
  const rows = [
    ...sweeps.map((sweep) => ({ ...sweep, kind: 'sweep' })),
    ...runs.map((run) => ({ ...run, kind: 'run' })),
  ].map(({ kind, id, name, date }) => [id, kind, name, dateText(date)])
  const left = sweeps.flatMap(({ id, runs }) =>
    !options.cells && runs && runs.size > 0
      ? [`The ${counted(runs.size, 'run')} of the cells of ${id} stay; --cells takes them along.`]
      : [],
  )
  const kept = [
    ...staying,
    ...(removed?.restarted ?? []).map((id) => ({ id, why: 'it was started again in the meantime' })),
  ]
  return [
    `${removed ? 'Removed from' : 'To be removed from'} ${pathOrUrl(store)}:`,
    ...(rows.length > 0
      ? [columns([['ID', 'WHAT', 'NAME', 'DATE'], ...rows])]
      : ['No record: a removal that was interrupted is finished.']),
    ...left,
    ...kept.map(({ id, why }) => yellow(`${id} stays: ${why}.`)),
    ...(removed ? freedLines(freed, options) : costLines(freed, options)),
    removed
      ? `The store has ${size(bytesAfter(result))} now, ${size(before)} before.`
      : `The store has ${size(before)}, and ${size(bytesAfter(result))} without all of this.`,
    ...sharedLines(freed),
    ...freed.unknown.map(({ id }) =>
      yellow(
        `What runs/${id} needs is unknown, so no stage and no blob is freed as long as it is there: ./zeroshift gc says more.`,
      ),
    ),
    ...(removed
      ? []
      : [
          ...[...busy].map(([id, why]) => yellow(`${id} is being computed (${why}): --delete would refuse.`)),
          '',
          `To remove it: ./zeroshift rm ${ids.map(quoted).join(' ')} --delete${repeatedOptions(options)}`,
        ]),
  ]
}

/**
 * A preview knows the current time only from the dates of objects, so it cannot tell which objects
 * are old enough.
 */
function costLines({ now, later }: Freed, { grace }: RmOptions): readonly string[] {
  const objects = [...objectsOf(now), ...objectsOf(later)]
  const stages = counted(now.stages.length + later.stages.length, 'stage')
  const blobs = counted(now.blobs.length + later.blobs.length, 'blob')
  const young = `What is younger than ${grace} is freed by a later \`./zeroshift gc --delete\`.`
  return objects.length === 0
    ? ['No stage and no blob is freed: none is needed by this alone.']
    : [`Needed by nothing else: ${stages} and ${blobs}, ${size(bytesOf(objects))}. ${young}`]
}

function freedLines({ now, later }: Freed, { grace }: RmOptions): readonly string[] {
  const summary = (of: Freed['now']) =>
    `${counted(of.stages.length, 'stage')} and ${counted(of.blobs.length, 'blob')}, ${size(bytesOf(objectsOf(of)))}`
  return [
    `Freed: ${summary(now)}.`,
    ...(objectsOf(later).length > 0
      ? [`Younger than ${grace}, and freed by a later \`./zeroshift gc --delete\`: ${summary(later)}.`]
      : []),
  ]
}

const MOST_NAMED = 5

function sharedLines({ shared: { stages, objects, runs } }: Freed): readonly string[] {
  if (stages === 0) return []
  const more = runs.length > MOST_NAMED ? ` and ${runs.length - MOST_NAMED} more` : ''
  const which = `${runs.slice(0, MOST_NAMED).join(', ')}${more}`
  return [
    `Shared with other runs, and kept: ${counted(stages, 'stage')}, ${size(bytesOf(objects))} (${which}).`,
  ]
}

/** Returns the options that give the next command the same meaning. */
function repeatedOptions({ cells, grace, store, temporal }: RmOptions): string {
  return [
    ...(cells ? [' --cells'] : []),
    ...(grace === '24h' ? [] : [` --grace ${grace}`]),
    ...(store === undefined ? [] : [` --store ${quoted(store)}`]),
    ...(temporal === undefined ? [] : [` --temporal ${quoted(temporal)}`]),
  ].join('')
}
