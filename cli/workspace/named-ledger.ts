import { existsSync } from 'node:fs'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { ledgersIn, readLedger } from '../../artifacts/stored-ledgers.ts'
import { UserError } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import type { LedgerRecord } from '../../experiment/ledger/ledger.ts'
import { ledgerSettings, readLedgerConfig } from '../launch/prepare-ledger.ts'
import { pathOrUrl } from '../output/print.ts'
import { artifactsIn } from './existing-store.ts'

/**
 * The ledger that a command names by its name or by its config, and the store that has it. Throws a
 * UserError if the store has no such ledger.
 */
export async function namedLedger(
  word: string,
  option: string | undefined,
): Promise<{ readonly artifacts: Artifacts; readonly record: LedgerRecord }> {
  const { name, store } = await placeOf(word, option)
  const artifacts = await artifactsIn(store)
  const record = await readLedger(artifacts, name)
  if (record) return { artifacts, record }
  const known = await ledgersIn(artifacts.store)
  throw new UserError(
    `the store ${pathOrUrl(artifacts.store.url)} has no ledger '${name}'${suggestion(name, known, 'it has')}; \`./zeroshift forget\` begins one`,
  )
}

async function placeOf(
  word: string,
  store: string | undefined,
): Promise<{ readonly name: string; readonly store: string | undefined }> {
  if (!/[./\\]/.test(word) || !existsSync(word)) return { name: word, store }
  const parsed = await readLedgerConfig(word)
  return { name: parsed.spec.name, store: ledgerSettings({ config: word, store }, parsed).store }
}
