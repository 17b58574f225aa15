import { UserError } from '../../common/errors.ts'
import type { SearchAttribute } from '../../experiment/records/search-attributes.ts'
import { workflowType } from '../../workflows/names.ts'
import { clip } from '../output/format.ts'
import { listRuns, printNoRuns, times, withServerToLookAt, type RunListEntry } from '../server/run-list.ts'
import { columns, print, printJson } from '../output/print.ts'
import { ensureSearchAttributes, registration } from '../server/search-attributes.ts'
import { wholeNumber } from '../options/whole-number.ts'

interface RunsOptions {
  readonly data?: string
  readonly method?: string
  readonly rank?: string
  readonly status?: string
  readonly config?: string
  readonly sweep?: string
  readonly limit?: string
  readonly json?: true
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
  const code = await withServerToLookAt(options.temporal, async (client, server) => {
    if (query.byAttribute && !(await ensureSearchAttributes(client)))
      throw new UserError(
        `the Temporal server at ${server.address} does not know what Zeroshift finds runs by: only --status and --limit ` +
          `work there. An administrator adds it, for the runs that start from then on: ${registration(client.options.namespace)}`,
      )
    const found = await listRuns(client, server, query.text, limit)
    if (options.json) printJson({ runs: found })
    else print(found.length === 0 ? query.none : tableOf(found))
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
export function queryOf({ data, method, rank, status, config, sweep }: RunsOptions): Query {
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
  const isFiltered = byAttribute.length > 0 || status !== undefined
  return {
    text: [
      `WorkflowType = ${quoted(workflowType)}`,
      ...(status === undefined ? [] : [`ExecutionStatus IN (${statusesOf(status).map(quoted).join(', ')})`]),
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

function tableOf(found: readonly RunListEntry[]): string {
  return columns([
    ['RUN', 'STATE', 'DATA', 'METHODS', 'RANKS', 'SWEEP', 'STARTED', 'TOOK'],
    ...found.map((run) => [
      run.id,
      run.state,
      run.dataset ?? '',
      clip((run.methods ?? []).join(', '), METHODS_WIDTH),
      (run.ranks ?? []).join(', '),
      run.sweep ?? '',
      ...times(run),
    ]),
  ])
}
