import { mapConcurrently } from '../../common/concurrency.ts'
import { parseJson } from '../../common/json.ts'
import { modelsSchema } from '../../experiment/records/deletion.ts'
import { ledgersIn } from '../stored-ledgers.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'

/** A ledger in a store. */
export interface StoredLedger {
  /** The SHA-256s of the models that its records name. */
  readonly models: ReadonlySet<string>
  /** Its rules, requests, records and notes. */
  readonly objects: readonly StoredObject[]
}

/** The ledgers by their names. */
export type StoredLedgers = ReadonlyMap<string, StoredLedger>

const recordName = /^ledgers\/[^/]+\/\d{6,}\.json$/

/**
 * Reads the ledgers of a store. A record that cannot be read names no model. The runs of its steps
 * stay in any case, and with them the models that they made.
 */
export async function readLedgers(store: ObjectStore): Promise<StoredLedgers> {
  const names = await ledgersIn(store)
  return new Map(
    await mapConcurrently(names, async (name) => {
      const objects = await store.list(`ledgers/${name}/`)
      const models = await mapConcurrently(
        objects.filter(({ path }) => recordName.test(path)),
        async ({ path }) => {
          const bytes = await store.get(path)
          const { data } = modelsSchema.safeParse(bytes && parseJson(bytes))
          return data ? [data.model.before.sha256, data.model.after.sha256] : []
        },
      )
      return [name, { models: new Set(models.flat()), objects }] as const
    }),
  )
}
