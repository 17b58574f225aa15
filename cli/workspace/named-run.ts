import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { UserError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'

/** The word that stands for the newest run or sweep. */
const LAST = 'last'

/** A run or a sweep that a word on the command line may stand for. */
export interface NamedRun {
  readonly id: string
  /** Milliseconds since 1970. The newest one is `last`. */
  readonly date: number
  /** Whether it only runs as a cell of a sweep, so that it is never `last`. */
  readonly isCell: boolean
}

/** A run or a sweep of a store. */
export interface StoredName extends NamedRun {
  readonly kind: 'run' | 'sweep'
}

/**
 * Returns the id that a word stands for: the id itself, `last`, or the only id that begins with the
 * word. Returns undefined if no id matches. Throws a UserError if several ids begin with the word.
 * Pure.
 */
export function matchingId(word: string, known: readonly NamedRun[]): string | undefined {
  if (known.some(({ id }) => id === word)) return word
  if (word === LAST) {
    const own = known.filter(({ isCell }) => !isCell)
    const [newest] = [...(own.length > 0 ? own : known)].sort((a, b) => b.date - a.date)
    return newest?.id
  }
  const ids = known.flatMap(({ id }) => (id.startsWith(word) ? [id] : []))
  if (ids.length < 2) return ids[0]
  throw new UserError(
    `'${word}' is the beginning of ${ids.length} ids: ${idList(ids)}; give more of one of them`,
  )
}

/**
 * Returns the ids that words stand for in a store. A word that matches none is returned as it is.
 * Throws a UserError if several ids begin with a word.
 */
export async function idsIn(store: ObjectStore, words: readonly string[]): Promise<readonly string[]> {
  const known = await namedRunsIn(store)
  return words.map((word) => matchingId(word, known) ?? word)
}

/** Returns the id of the run or the sweep that a word stands for, as `idsIn` does. */
export async function idIn(store: ObjectStore, word: string): Promise<string> {
  return matchingId(word, await namedRunsIn(store)) ?? word
}

/** Returns the id of the run that a word stands for. Sweeps do not count. */
export async function runIdIn(store: ObjectStore, word: string): Promise<string> {
  const runs = (await namedRunsIn(store)).filter(({ kind }) => kind === 'run')
  return matchingId(word, runs) ?? word
}

/** Returns the runs and sweeps of a store, with the dates of their records. */
export async function namedRunsIn(store: ObjectStore): Promise<readonly StoredName[]> {
  const runs = await store.list('runs/')
  const own = new Set(runs.flatMap(({ path }) => /^runs\/([^/]+)\/own\.json$/.exec(path)?.[1] ?? []))
  return [...runs, ...(await store.list('sweeps/'))].flatMap(({ path, modified }) => {
    const run = /^runs\/([^/]+)\/run\.json$/.exec(path)?.[1]
    const id = run ?? /^sweeps\/([^/]+)\/sweep\.json$/.exec(path)?.[1]
    const kind = run === undefined ? 'sweep' : 'run'
    return id === undefined ? [] : [{ id, kind, date: modified, isCell: run !== undefined && !own.has(run) }]
  })
}

/** The end of a message about an unknown id: the most similar id, or all of them. */
export function closestId(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? `it has ${idList(known)}` : `did you mean ${near}?`
}

const MOST_NAMED = 20

function idList(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
