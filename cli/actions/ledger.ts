import { readRequests } from '../../artifacts/stored-ledgers.ts'
import { stateAfter } from '../../experiment/ledger/state.ts'
import { namedLedger } from '../launch/named-ledger.ts'
import { counted, dateText } from '../output/format.ts'
import { attemptLines, ledgerRow, type LedgerRow } from '../output/ledger-rows.ts'
import { columns, print, printJson } from '../output/print.ts'

interface LedgerOptions {
  readonly json?: true
  readonly store?: string
}

/** `zeroshift ledger LEDGER`: shows its requests, its model and the evidence. */
export async function ledger(word: string, options: LedgerOptions): Promise<number> {
  const { artifacts, record } = await namedLedger(word, options.store)
  const { name, digest } = record
  const stored = await readRequests(artifacts, name)
  const { model, forgotten } = stateAfter(
    stored.flatMap(({ request, record }) => (record ? [{ request, record }] : [])),
  )
  const rows = stored.map(ledgerRow)
  if (options.json)
    printJson({
      name,
      digest,
      store: artifacts.store.url,
      model: model ?? null,
      forgotten: forgotten.length,
      requests: rows,
    })
  else printLedger(name, rows, forgotten.length, model?.sha256)
  return 0
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
    if (row.attempts.length === 0) continue
    print('')
    print(`request ${row.number}`)
    for (const line of attemptLines(row)) print(`  ${line}`)
    if (row.reason !== null) print(`  ${row.reason}`)
  }
}
