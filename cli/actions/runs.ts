import { UserError } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import type { RunLabels } from '../../experiment/records/run-labels.ts'
import type { SearchAttribute } from '../../experiment/records/search-attributes.ts'
import { workflowType } from '../../workflows/names.ts'
import { clip } from '../output/format.ts'
import { listRuns, printNoRuns, times, withServerToLookAt, type RunListEntry } from '../server/run-list.ts'
import { columns, print, printJson } from '../output/print.ts'
import { ensureSearchAttributes, registration } from '../server/search-attributes.ts'
import { periodOf } from '../options/period.ts'
import { wholeNumber } from '../options/whole-number.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { labelsIn } from '../workspace/labels.ts'

interface RunsOptions {
  readonly data?: string
  readonly method?: string
  readonly rank?: string
  readonly status?: string
  readonly config?: string
  readonly sweep?: string
  readonly tag?: string
  readonly since?: string
  readonly sort?: string
  readonly columns?: string
  readonly limit?: string
  readonly json?: true
  readonly store?: string
  readonly temporal?: string
}

/** Temporal's names for the states that `--status` accepts. */
const statuses: ReadonlyMap<string, readonly string[]> = new Map([
  ['running', ['Running']],
  ['completed', ['Completed']],
  ['failed', ['Failed', 'Terminated', 'TimedOut']],
  ['cancelled', ['Canceled']],
])
const METHODS_WIDTH = 32

/** `zeroshift runs`: lists the runs that match all filters. */
export async function runs(options: RunsOptions): Promise<number> {
  const query = queryOf(options)
  const limit = options.limit === undefined ? Infinity : wholeNumber('--limit', options.limit)
  const shown = columnsOf(options.columns)
  const order = orderOf(options.sort)
  if (options.store !== undefined) await artifactsIn(options.store)
  const code = await withServerToLookAt(options.temporal, async (client, server) => {
    if (query.byAttribute && !(await ensureSearchAttributes(client)))
      throw new UserError(
        `the Temporal server at ${server.address} does not know what Zeroshift finds runs by: only --status and --limit ` +
          `work there. An administrator adds it, for the runs that start from then on: ${registration(client.options.namespace)}`,
      )
    const listed = await listRuns(client, server, query.text, options.tag === undefined ? limit : Infinity)
    const labels = await labelsIn(options.store).catch((error: unknown) => {
      // A list without tags needs no store, which may not be within reach of this machine.
      if (options.tag !== undefined || options.store !== undefined) throw error
      return new Map<string, RunLabels>()
    })
    const found = listed
      .map((run) => ({ ...run, ...labels.get(run.id) }))
      .filter(({ tags = [] }) => options.tag === undefined || tags.includes(options.tag))
      .slice(0, limit)
      .sort(order)
    if (options.json) printJson({ runs: found })
    else print(found.length === 0 ? query.none : tableOf(found, shown))
    return 0
  })
  return code ?? printNoRuns(options)
}

interface Query {
  /** The query in Temporal's language. */
  readonly text: string
  /** Whether the query names search attributes, which a server may not know. */
  readonly byAttribute: boolean
  /** The message if no run matches. */
  readonly none: string
}

/** Throws a UserError if the value of a filter is invalid. */
export function queryOf({ data, method, rank, status, config, sweep, tag, since }: RunsOptions): Query {
  const values: Readonly<Record<SearchAttribute, string | undefined>> = {
    ZeroshiftDataset: data,
    ZeroshiftMethods: method,
    ZeroshiftRanks: rank === undefined ? undefined : String(wholeNumber('--rank', rank)),
    ZeroshiftConfig: config,
    ZeroshiftSweep: sweep,
  }
  const byAttribute = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${quoted(value)}`],
  )
  const isFiltered = [...byAttribute, status, tag, since].some((filter) => filter !== undefined)
  return {
    text: [
      `WorkflowType = ${quoted(workflowType)}`,
      ...(status === undefined ? [] : [`ExecutionStatus IN (${statusesOf(status).map(quoted).join(', ')})`]),
      ...(since === undefined ? [] : [`StartTime >= ${quoted(startOf(since))}`]),
      ...byAttribute,
    ].join(' AND '),
    byAttribute: byAttribute.length > 0,
    none: isFiltered ? 'no such runs' : 'no runs yet',
  }
}

function statusesOf(status: string): readonly string[] {
  const found = statuses.get(status)
  if (found) return found
  throw new UserError(`--status: expected one of ${[...statuses.keys()].join(', ')}; found '${status}'`)
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** Returns the time that `--since` means, as Temporal's language has it. Throws a UserError. */
function startOf(since: string): string {
  if (/^\d{4}-\d\d-\d\d/.test(since)) {
    const date = new Date(since)
    if (!Number.isNaN(date.getTime())) return date.toISOString()
  } else if (/^[\d.]+[mhd]$/.test(since))
    return new Date(Date.now() - periodOf('--since', since)).toISOString()
  throw new UserError(
    `--since: expected a date such as 2026-11-30, or a time such as 12h or 7d, found '${since}'`,
  )
}

type Listed = RunListEntry & Partial<RunLabels>

/** The columns of the table, in the order in which `--columns` lists them. */
const cells = {
  run: ({ id }: Listed) => id,
  state: ({ state }: Listed) => state,
  data: ({ dataset = '' }: Listed) => dataset,
  methods: ({ methods = [] }: Listed) => clip(methods.join(', '), METHODS_WIDTH),
  ranks: ({ ranks = [] }: Listed) => ranks.join(', '),
  sweep: ({ sweep = '' }: Listed) => sweep,
  started: (run: Listed) => times(run)[0] ?? '',
  took: (run: Listed) => times(run)[1] ?? '',
  tags: ({ tags = [] }: Listed) => tags.join(', '),
  note: ({ note = '' }: Listed) => clip(note, NOTE_WIDTH),
} as const
type Column = keyof typeof cells
const columnNames = Object.keys(cells) as readonly Column[]
const NOTE_WIDTH = 60

/** Returns undefined unless columns are chosen. Throws a UserError for an unknown column. */
function columnsOf(text: string | undefined): readonly Column[] | undefined {
  return text?.split(',').map((part) => {
    const found = columnNames.find((name) => name === part.trim().toLowerCase())
    if (found) return found
    throw new UserError(
      `--columns: there is no column '${part.trim()}'${suggestion(part, columnNames, 'columns')}`,
    )
  })
}

const byText = (of: (run: Listed) => string) => (a: Listed, b: Listed) => of(a).localeCompare(of(b))
const orders: Readonly<Record<string, (a: Listed, b: Listed) => number>> = {
  started: (a, b) => b.startedAt.localeCompare(a.startedAt),
  took: (a, b) => b.seconds - a.seconds,
  run: byText(cells.run),
  data: byText(cells.data),
  state: byText(cells.state),
}

/** Throws a UserError for an unknown order. */
function orderOf(name = 'started'): (a: Listed, b: Listed) => number {
  const order = Object.hasOwn(orders, name) ? orders[name] : undefined
  if (order) return order
  throw new UserError(`--sort: expected one of ${Object.keys(orders).join(', ')}; found '${name}'`)
}

function tableOf(found: readonly Listed[], chosen: readonly Column[] | undefined): string {
  const labelled = (['tags', 'note'] as const).filter((name) => found.some((run) => run[name] !== undefined))
  const standard = columnNames.filter((name) => name !== 'tags' && name !== 'note')
  const shown = chosen ?? [...standard, ...labelled]
  return columns([
    shown.map((name) => name.toUpperCase()),
    ...found.map((run) => shown.map((name) => cells[name](run))),
  ])
}
