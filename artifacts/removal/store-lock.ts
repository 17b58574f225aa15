import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { UserError } from '../../common/errors.ts'
import { jsonBytes, parseJson } from '../../common/json.ts'
import type { ObjectStore } from '../store/object-store.ts'

/**
 * The lock of a store, which allows one command at a time to delete from it. Runs do not need the
 * lock. It works like the lease of a stage (progress/lease.ts): locks have numbers,
 * `maintenance/<n>.json`, and are created by conditional puts. The one with the highest number is
 * valid. No clocks of different machines are compared. A command that waits observes whether the
 * holder still increases its beat.
 */

export interface LockTimes {
  /** The pause between two renewals by the holder. */
  readonly beatMs: number
  /** A holder counts as dead after this time without a renewal. */
  readonly deadMs: number
}

/**
 * With these times, another command notices within seconds that the holder is alive, and the holder
 * keeps the lock if it cannot reach the store for less than a minute.
 */
const DEFAULT_TIMES: LockTimes = { beatMs: 3_000, deadMs: 60_000 }

const folder = 'maintenance/'
const pathOf = (number: number) => `${folder}${String(number).padStart(6, '0')}.json`

const schema = z.object({
  id: z.string(),
  /** The command of the holder, for messages. */
  command: z.string(),
  host: z.string(),
  pid: z.number(),
  /** A number that the holder increases with each renewal. */
  beat: z.number(),
})
type LockRecord = z.output<typeof schema>

/** Another command has taken over the lock, so that this command deletes nothing more. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError'
}

export interface LockOptions {
  /** The command that takes the lock, for messages. */
  readonly command: string
  /** Called with the holder when the command begins to wait for it. */
  readonly onWait?: (holder: string) => void
  readonly times?: LockTimes
}

/**
 * Runs work that deletes from a store while no other command does so. The work calls `confirm`
 * before each deletion, which throws a LockLostError if another command has taken over the lock.
 * Throws a UserError if another live command holds the lock.
 */
export async function withStoreLock<T>(
  store: ObjectStore,
  options: LockOptions,
  work: (confirm: () => void) => Promise<T>,
): Promise<T> {
  const { command, times = DEFAULT_TIMES } = options
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
  // If a renewal fails, the next one notices whether the lock is lost.
  const timer = setInterval(() => {
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
    clearInterval(timer)
    await renewal
    await release(store, id).catch(() => undefined)
  }
}

/** Takes the lock and returns its number. */
async function take(
  store: ObjectStore,
  bytes: Uint8Array,
  { onWait = () => undefined }: LockOptions,
  { beatMs, deadMs }: LockTimes,
): Promise<number> {
  let first: { readonly state: string; readonly since: number } | undefined
  for (;;) {
    const { number, record } = await newestLock(store)
    const state = `${number} ${record?.id ?? ''} ${record?.beat ?? ''}`
    const isDead = first?.state === state && performance.now() - first.since > deadMs
    if (number === 0 || isDead) {
      if (await store.putIfAbsent(pathOf(number + 1), bytes)) {
        await clearBefore(store, number + 1)
        return number + 1
      }
      continue
    }
    if (first && first.state !== state) throw isHeld(store, record)
    if (!first) onWait(describeHolder(record))
    first ??= { state, since: performance.now() }
    await sleep(Math.min(beatMs, deadMs) / 3)
  }
}

/** Deletes the own lock. Numbers are used again, so this compares the id of the holder. */
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

/** Deletes the locks of earlier holders. */
async function clearBefore(store: ObjectStore, number: number): Promise<void> {
  for (const { path } of await store.list(folder)) if (path < pathOf(number)) await store.delete(path)
}

/** Returns undefined for a record that is not valid. It never changes, so it counts as dead. */
function recordIn(bytes: Uint8Array): LockRecord | undefined {
  return schema.safeParse(parseJson(bytes)).data
}

function isHeld(store: ObjectStore, record: LockRecord | undefined): UserError {
  return new UserError(
    `${describeHolder(record)} is deleting from the store ${store.url} at the moment and holds ${folder}; expected nobody else. Run this command ` +
      'again once that one has ended',
  )
}

function describeHolder(record: LockRecord | undefined): string {
  return record
    ? `\`zeroshift ${record.command}\` (process ${record.pid} on ${record.host})`
    : 'another command'
}
