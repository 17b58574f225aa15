import { existsSync } from 'node:fs'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { ledgersIn, readLedger } from '../../artifacts/stored-ledgers.ts'
import { UserError } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import type { LedgerRecord } from '../../experiment/ledger/ledger.ts'
import { pathOrUrl } from '../output/print.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { ledgerSettings, readLedgerConfig } from './prepare-ledger.ts'

/** A ledger in a store. */
export interface NamedLedger {
  readonly artifacts: Artifacts
  readonly record: LedgerRecord
}

/**
 * Reads the ledger that a command gives by its name or by its config. The config also names the
 * store, unless the command does. Throws a UserError if the store has no such ledger.
 */
export async function namedLedger(word: string, option: string | undefined): Promise<NamedLedger> {
  const { name, store } = await nameAndStore(word, option)
  const artifacts = await artifactsIn(store)
  const known = await ledgersIn(artifacts.store)
  const record = known.includes(name) ? await readLedger(artifacts, name) : undefined
  if (record) return { artifacts, record }
  const others =
    known.length > 0 ? suggestion(name, known, 'it has') : ', and no other; is it the right one (--store)?'
  throw new UserError(
    `the store ${pathOrUrl(artifacts.store.url)} has no ledger '${name}'${others}; \`./zeroshift forget\` begins one`,
  )
}

async function nameAndStore(
  word: string,
  store: string | undefined,
): Promise<{ readonly name: string; readonly store: string | undefined }> {
  if (!/[./\\]/.test(word) || !existsSync(word)) return { name: word, store }
  const parsed = await readLedgerConfig(word)
  return { name: parsed.spec.name, store: ledgerSettings({ config: word, store }, parsed).store }
}
