import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Temporal's dev server creates the tables of a new database one after the other, and refuses a
 * database that lacks some of them. A server that is killed meanwhile leaves such a database. A
 * file beside a database therefore records that no server has answered with it yet. Such a database
 * has no runs, and the next server creates it again.
 */
const noteOf = (database: string) => `${database}.unfinished`

const POLL_MS = 25

/** Removes a database whose creation was interrupted, and makes the note beside a new one. */
export function prepareDatabase(database: string): void {
  const note = noteOf(database)
  if (existsSync(note))
    for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(`${database}${ending}`, { force: true })
  if (!existsSync(database)) writeFileSync(note, '')
}

/** Removes the note when the server accepts connections, which it does after all tables exist. */
export async function noteFinished(database: string, port: number, exited: Promise<void>): Promise<void> {
  const note = noteOf(database)
  if (!existsSync(note)) return
  let isRunning = true
  void exited.then(() => (isRunning = false))
  while (isRunning && !(await accepts(port))) await sleep(POLL_MS, undefined, { ref: false })
  if (isRunning) rmSync(note, { force: true })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (accepted: boolean) => () => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
