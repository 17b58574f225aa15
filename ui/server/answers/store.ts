import { takeInventory } from '../../../artifacts/removal/inventory.ts'
import { usageOf } from '../../../artifacts/removal/usage.ts'
import type { StoreView } from '../../contract.ts'
import type { Answer } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'

/** The store is measured at most so often, and for at most this share of the time. */
const LEAST_MS = 5_000
const SHARE = 1 / 20

interface Measured {
  readonly usage: Omit<StoreView, 'check'>
  /** By `performance.now`. */
  readonly until: number
}

/** The space that the store takes, and the result of its last check. */
export async function storeAnswer(context: AnswerContext): Promise<Answer> {
  let measured = await cached(context, KEY, () => measure(context))
  if (performance.now() > measured.until) {
    context.cache.delete(KEY)
    measured = await cached(context, KEY, () => measure(context))
  }
  const check = await context.lastCheck()
  return { json: { ...measured.usage, ...(check && { check }) } satisfies StoreView }
}

const KEY = 'store'

async function measure({ artifacts }: AnswerContext): Promise<Measured> {
  const began = performance.now()
  const { bytes, runs, kinds, records, unneeded } = usageOf(await takeInventory(artifacts.store))
  const ended = performance.now()
  return {
    usage: {
      bytes,
      runs,
      kinds,
      records,
      unneeded,
    },
    until: ended + Math.max(LEAST_MS, (ended - began) / SHARE),
  }
}
