import type { RunList } from '../../../contract.ts'

/** Returns the list after an event, which may hold the new and the changed runs alone. */
export function mergedRuns(before: RunList | undefined, event: RunList): RunList {
  if (!event.partial || !before) return event
  const changed = new Map(event.runs.map((run) => [run.id, run]))
  const known = new Set(before.runs.map(({ id }) => id))
  return {
    runs: [
      ...event.runs.filter(({ id }) => !known.has(id)),
      ...before.runs.map((run) => changed.get(run.id) ?? run),
    ],
  }
}
