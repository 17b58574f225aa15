import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAlive, isSameProcess, startOf } from '../host/alive.mjs'

/**
 * Locks a file for this process for as long as it lives. Returns undefined if another living
 * process holds the lock. The lock of a process that has ended is ignored.
 */
export function takePidLock(path: string): { release(): void } | undefined {
  const note = `${path}.pid`
  for (let attempt = 0; attempt < 3; attempt++)
    try {
      writeFileSync(note, `${process.pid} ${startOf(process.pid) ?? ''}`.trim(), { flag: 'wx' })
      return {
        release: () => {
          rmSync(note, { force: true })
        },
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (isHeld(read(note))) return undefined
      rmSync(note, { force: true })
    }
  return undefined
}

function isHeld(note: string): boolean {
  const [number, start] = note.split(' ')
  const holder = Number(number)
  // In a container, this process may have the same number as the ended one.
  if (holder === process.pid) return false
  return start ? isSameProcess(holder, start) : isAlive(holder)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
