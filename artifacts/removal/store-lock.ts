import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { UserError } from '../../common/errors.ts'
import { jsonBytes } from '../../common/json.ts'
import type { ObjectStore } from '../store/object-store.ts'

/**
 * The right to delete from a store. Runs need no part in it: it keeps two commands that delete from
 * each other's way. It works as leases of stages do (lease.ts): locks are numbered,
 * `maintenance/<n>.json`, and created by conditional puts. The highest one holds. No clock is
 * compared with another machine's: whoever waits watches whether the beat changes.
 */

export interface LockTimes {
  /** The holder shows life this often. */
  readonly beatMs: number
  /** A holder whose beat stays unchanged for so long is taken for dead. */
  readonly deadMs: number
}

/**
 * A holder that is alive is known within seconds. A store that is away for a minute does not make
 * it dead.
 */
const usual: LockTimes = { beatMs: 3_000, deadMs: 60_000 }

const folder = 'maintenance/'
const pathOf = (number: number) => `${folder}${String(number).padStart(6, '0')}.json`

const schema = z.object({
  id: z.string(),
  /** For people. */
  command: z.string(),
  host: z.string(),
  pid: z.number(),
  /** Grows while the holder is alive. */
  beat: z.number(),
})
type LockRecord = z.output<typeof schema>

/** The store is somebody else's: what this command has not deleted yet stays. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError'
}

export interface LockOptions {
  /** The command that holds it, for people. */
  readonly command: string
  /** Told when a holder shows no life yet: a person waits. */
  readonly onWait?: (holder: string) => void
  readonly times?: LockTimes
}

/**
 * Runs some work while nobody else deletes from the store. `confirm` throws a LockLostError where
 * another command has taken the store over. Throws a UserError where another command that is alive
 * holds it.
 */
export async function holdingStore<T>(
  store: ObjectStore,
  options: LockOptions,
  work: (confirm: () => void) => Promise<T>,
): Promise<T> {
  const { command, times = usual } = options
  const id = randomUUID()
  const own = (beat: number) =>
    jsonBytes({ id, command, host: hostname(), pid: process.pid, beat } satisfies LockRecord)
  const number = await take(store, own(0), options, times)
  let lost = false
  let beats = 0
  let renewal = Promise.resolve()
  const renew = async () => {
    const { number: newest, record } = await newestLock(store)
    if (newest !== number || record?.id !== id) lost = true
    else await store.put(pathOf(number), own(++beats))
  }
  // A renewal that fails shows no life; whether the lock is lost by that, the next one sees.
  const beating = setInterval(() => {
    renewal = renewal.then(renew).catch(() => undefined)
  }, times.beatMs)
  try {
    return await work(() => {
      if (lost)
        throw new LockLostError(
          `another command has taken ${store.url} over, because this one showed no life; what is not deleted yet stays. Run it again`,
        )
    })
  } finally {
    clearInterval(beating)
    await renewal
    await release(store, id).catch(() => undefined)
  }
}

/** Answers the number of the lock. */
async function take(
  store: ObjectStore,
  bytes: Uint8Array,
  { onWait = () => undefined }: LockOptions,
  { beatMs, deadMs }: LockTimes,
): Promise<number> {
  let seen: { readonly sight: string; readonly since: number } | undefined
  for (;;) {
    const { number, record } = await newestLock(store)
    const sight = `${number} ${record?.id ?? ''} ${record?.beat ?? ''}`
    const isDead = seen?.sight === sight && performance.now() - seen.since > deadMs
    if (number === 0 || isDead) {
      if (await store.putIfAbsent(pathOf(number + 1), bytes)) {
        await clearBefore(store, number + 1)
        return number + 1
      }
      continue
    }
    if (seen && seen.sight !== sight) throw isHeld(store, record)
    if (!seen) onWait(described(record))
    seen ??= { sight, since: performance.now() }
    await sleep(Math.min(beatMs, deadMs) / 3)
  }
}

/** A number comes again once a lock is released, so the holder is looked at. */
async function release(store: ObjectStore, id: string): Promise<void> {
  const { number, record } = await newestLock(store)
  if (record?.id === id) await store.delete(pathOf(number))
}

async function newestLock(
  store: ObjectStore,
): Promise<{ readonly number: number; readonly record: LockRecord | undefined }> {
  const numbers = (await store.list(folder)).flatMap(({ path }) => {
    const [, number] = /^maintenance\/(\d+)\.json$/.exec(path) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  const number = Math.max(0, ...numbers)
  const bytes = number > 0 ? await store.get(pathOf(number)) : undefined
  return { number, record: bytes && recordIn(bytes) }
}

/** Locks of holders that were overtaken. */
async function clearBefore(store: ObjectStore, number: number): Promise<void> {
  for (const { path } of await store.list(folder)) if (path < pathOf(number)) await store.delete(path)
}

/** One that cannot be read never beats, and so is taken over. */
function recordIn(bytes: Uint8Array): LockRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data
  } catch {
    return undefined
  }
}

function isHeld(store: ObjectStore, record: LockRecord | undefined): UserError {
  return new UserError(
    `${described(record)} is deleting from the store ${store.url} at the moment and holds ${folder}; expected nobody else. Run this command ` +
      'again once that one has ended',
  )
}

function described(record: LockRecord | undefined): string {
  return record
    ? `\`zeroshift ${record.command}\` (process ${record.pid} on ${record.host})`
    : 'another command'
}
