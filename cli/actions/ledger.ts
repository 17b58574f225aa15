import { existsSync } from 'node:fs'
import { ledgersIn, readLedger, readRequests } from '../../artifacts/stored-ledgers.ts'
import { UserError } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import { stateAfter } from '../../experiment/ledger/state.ts'
import { ledgerSettings, readLedgerConfig } from '../launch/prepare-ledger.ts'
import { counted, dateText } from '../output/format.ts'
import { attemptLines, ledgerRow, type LedgerRow } from '../output/ledger-rows.ts'
import { columns, pathOrUrl, print, printJson } from '../output/print.ts'
import { artifactsIn } from '../workspace/existing-store.ts'

interface LedgerOptions {
  readonly json?: true
  readonly store?: string
}

/** `zeroshift ledger LEDGER`: shows its requests, its model and the evidence. */
export async function ledger(word: string, options: LedgerOptions): Promise<number> {
  const { name, store } = await named(word, options.store)
  const artifacts = await artifactsIn(store)
  const record = await readLedger(artifacts, name)
  if (!record) {
    const known = await ledgersIn(artifacts.store)
    throw new UserError(
      `the store ${pathOrUrl(artifacts.store.url)} has no ledger '${name}'${suggestion(name, known, 'it has')}; \`./zeroshift forget\` begins one`,
    )
  }
  const stored = await readRequests(artifacts, name)
  const { model, forgotten } = stateAfter(
    stored.flatMap(({ request, record }) => (record ? [{ request, record }] : [])),
  )
  const rows = stored.map(ledgerRow)
  if (options.json)
    printJson({
      name,
      digest: record.digest,
      store: artifacts.store.url,
      model: model ?? null,
      forgotten: forgotten.length,
      requests: rows,
    })
  else printLedger(name, rows, forgotten.length, model?.sha256)
  return 0
}

/** The name and the store of a ledger that is given by its name or by its config. */
async function named(
  word: string,
  store: string | undefined,
): Promise<{ readonly name: string; readonly store: string | undefined }> {
  if (!/[./\\]/.test(word) || !existsSync(word)) return { name: word, store }
  const parsed = await readLedgerConfig(word)
  return { name: parsed.spec.name, store: ledgerSettings({ config: word, store }, parsed).store }
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
