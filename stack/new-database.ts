import { existsSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Temporal's dev server creates the tables of a new database one after the other, and refuses a
 * database that lacks some of them. A server that is killed meanwhile leaves such a database. A
 * file beside a database therefore records that no server has answered with it yet. Such a database
 * has no runs, and the next server creates it again.
 */
const noteOf = (database: string) => `${database}.unfinished`

/** Removes a database whose creation was interrupted, and makes the note beside a new one. */
export function prepareDatabase(database: string): void {
  const note = noteOf(database)
  if (existsSync(note))
    for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(`${database}${ending}`, { force: true })
  if (!existsSync(database)) writeFileSync(note, '')
}

/** Removes the note. Call this when a server accepts connections: all tables exist then. */
export function noteFinished(database: string): void {
  rmSync(noteOf(database), { force: true })
}
