import type { Artifacts } from '../../artifacts/artifacts.ts'
import { purgePath } from '../../artifacts/format/layout.ts'
import { readPurge, readRequests, type StoredRequest } from '../../artifacts/stored-ledgers.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { stateAfter } from '../../experiment/ledger/state.ts'
import { quoted } from '../../report/command.ts'
import { nextBatch } from '../../experiment/ledger/batch.ts'
import { requestsText } from '../output/render-ledger.ts'
import { namedLedger } from '../launch/named-ledger.ts'
import { size } from '../../common/size.ts'
import { counted, dateText } from '../output/format.ts'
import { attemptLines, ledgerRow, type LedgerRow } from '../output/ledger-rows.ts'
import { columns, pathOrUrl, print, printJson } from '../output/print.ts'

interface LedgerOptions {
  readonly json?: true
  readonly store?: string
}

/** `zeroshift ledger LEDGER`: shows its requests, its model and the evidence. */
export async function ledger(word: string, options: LedgerOptions): Promise<number> {
  const { artifacts, record } = await namedLedger(word, options.store)
  const { name, digest, spec } = record
  const stored = await readRequests(artifacts, name)
  const { model, forgotten } = stateAfter(
    stored.flatMap(({ request, record }) => (record ? [{ request, record }] : [])),
  )
  const rows = stored.map(ledgerRow)
  const purges = await purgesOf(artifacts, name, stored)
  const next = nextBatch(
    spec,
    stored.flatMap(({ request, record }) => (record ? [] : [request])),
  )
  const waiting = next?.until === undefined ? null : { ...next, until: next.until }
  if (options.json)
    printJson({
      name,
      digest,
      store: artifacts.store.url,
      model: model ?? null,
      forgotten: forgotten.length,
      requests: rows,
      waiting,
      purges,
    })
  else {
    printLedger(name, rows, forgotten.length, model?.sha256)
    if (waiting) {
      const { first, last, until } = waiting
      print('')
      print(`${requestsText(first, last)}: settled together, not before ${dateText(Date.parse(until))}`)
      print(`to settle at once: ./zeroshift forget ${quoted(record.config)} --queued --now`)
    }
    printPurges(purges)
  }
  return 0
}

/** What a purge has deleted from the store. */
interface LedgerPurge {
  /** The last fulfilled request before the purge. */
  readonly number: number
  readonly deleted: { readonly objects: number; readonly bytes: number }
  /** The blobs that stayed because other runs or ledgers need them. */
  readonly kept: readonly { readonly sha256: string; readonly neededBy: readonly string[] }[]
  readonly path: string
}

async function purgesOf(
  artifacts: Artifacts,
  name: string,
  requests: readonly StoredRequest[],
): Promise<readonly LedgerPurge[]> {
  const found = await mapConcurrently(requests, async ({ request: { number } }) => {
    const purge = await readPurge(artifacts, name, number)
    if (!purge) return []
    const { deleted, kept } = purge
    return {
      number,
      deleted: { objects: deleted.length, bytes: deleted.reduce((sum, { bytes }) => sum + bytes, 0) },
      kept: kept.flatMap(({ sha256, neededBy }) => (neededBy.length > 0 ? { sha256, neededBy } : [])),
      path: artifacts.store.locate(purgePath(name, number)),
    }
  })
  return found.flat()
}

function printPurges(purges: readonly LedgerPurge[]): void {
  for (const { number, deleted, kept, path } of purges) {
    print('')
    print(
      `purge after request ${number}: ${counted(deleted.objects, 'object')}, ${size(deleted.bytes)} deleted`,
    )
    for (const { sha256, neededBy } of kept) print(`  ${sha256} stays: ${neededBy.join(', ')}`)
    print(`  ${pathOrUrl(path)}`)
  }
}

function printLedger(
  name: string,
  rows: readonly LedgerRow[],
  forgotten: number,
  model: string | undefined,
): void {
  print(`${name}: ${counted(rows.length, 'request')}, ${counted(forgotten, 'sample')} forgotten`)
  print(`model: ${model ?? 'the original, until the first request is settled'}`)
  print('')
  print(
    columns([
      ['REQUEST', 'REFERENCE', 'RECEIVED', 'SAMPLES', 'STATE', 'CLAIM'],
      ...rows.map(({ number, reference, received, samples, state, claim }) => [
        ...[String(number), reference, dateText(Date.parse(received)), String(samples), state],
        claim ?? '–',
      ]),
    ]),
  )
  for (const row of rows) {
    // The attempts of a batch are those of each of its requests.
    if (row.attempts.length === 0 || (row.batch && row.number > row.batch.first)) continue
    print('')
    print(requestsText(row.number, row.batch?.last ?? row.number))
    for (const line of attemptLines(row)) print(`  ${line}`)
    if (row.reason !== null) print(`  ${row.reason}`)
  }
}
