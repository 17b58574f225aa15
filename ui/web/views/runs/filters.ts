import type { RunEntry } from '../../../contract.ts'
import type { Query } from '../../shell/route.ts'

/** The filters of the list of runs, as the parameters of its address. */
export const filterNames = [
  'text',
  'data',
  'method',
  'split',
  'status',
  'tag',
  'sweep',
  'since',
  'until',
] as const
export type FilterName = (typeof filterNames)[number]

export const orders = {
  newest: 'newest first',
  oldest: 'oldest first',
  name: 'by name',
  status: 'by status',
  longest: 'longest first',
} as const
export type Order = keyof typeof orders

/** Returns the runs that pass the filters of a query, in its order. `runs` are newest first. */
export function selectRuns(runs: readonly RunEntry[], query: Query): readonly RunEntry[] {
  const tests = filterNames.flatMap((name) => {
    const wanted = query[name]
    return wanted === undefined || wanted === '' ? [] : [(run: RunEntry) => passes[name](run, wanted)]
  })
  const selected = runs.filter((run) => tests.every((test) => test(run)))
  return inOrder(selected, orderOf(query))
}

export function orderOf({ sort }: Query): Order {
  return sort !== undefined && Object.hasOwn(orders, sort) ? (sort as Order) : 'newest'
}

const passes: Readonly<Record<FilterName, (run: RunEntry, wanted: string) => boolean>> = {
  text: (run, wanted) => {
    const text = searched(run)
    return wanted
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word))
  },
  data: ({ dataset }, wanted) => dataset === wanted,
  method: ({ methods }, wanted) => methods.includes(wanted),
  split: ({ split }, wanted) => split === wanted,
  status: ({ state }, wanted) => state === wanted,
  tag: ({ tags }, wanted) => tags.includes(wanted),
  sweep: ({ sweep }, wanted) => sweep === wanted,
  // Dates are compared as texts: both are ISO 8601. A run without a start passes no date.
  since: ({ startedAt }, wanted) => startedAt !== undefined && startedAt.slice(0, 10) >= wanted,
  until: ({ startedAt }, wanted) => startedAt !== undefined && startedAt.slice(0, 10) <= wanted,
}

function searched({ id, name, dataset, model, split, methods, tags, note = '', failures }: RunEntry): string {
  const reasons = failures.flatMap(({ title, reason }) => [title, reason])
  return [id, name, dataset, model, split, ...methods, ...tags, note, ...reasons].join('\n').toLowerCase()
}

function inOrder(runs: readonly RunEntry[], order: Order): readonly RunEntry[] {
  switch (order) {
    case 'newest':
      return runs
    case 'oldest':
      return [...runs].reverse()
    case 'name':
      return sortedBy(runs, ({ name, id }) => [name, id])
    case 'status':
      return sortedBy(runs, ({ state }) => [state])
    case 'longest':
      return [...runs].sort((a, b) => (b.seconds ?? -1) - (a.seconds ?? -1))
  }
}

function sortedBy(
  runs: readonly RunEntry[],
  keysOf: (run: RunEntry) => readonly string[],
): readonly RunEntry[] {
  const keyed = runs.map((run) => ({ run, key: keysOf(run).join('\0') }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ run }) => run)
}

/** The values that runs have for the filters with a list of choices, each sorted. */
export function choicesOf(runs: readonly RunEntry[]) {
  const distinct = (of: (run: RunEntry) => readonly string[]) => [...new Set(runs.flatMap(of))].sort()
  return {
    data: distinct(({ dataset }) => [dataset]),
    method: distinct(({ methods }) => methods),
    split: distinct(({ split }) => [split]),
    status: distinct(({ state }) => [state]),
    tag: distinct(({ tags }) => tags),
    sweep: distinct(({ sweep }) => (sweep === undefined ? [] : [sweep])),
  } satisfies Partial<Record<FilterName, readonly string[]>>
}
