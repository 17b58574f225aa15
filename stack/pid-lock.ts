import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAlive, isSameProcess, startOf } from '../host/alive.mjs'

/**
 * Claims a file for this process as long as it lives, or answers undefined where another living process has it.
 * A claim whose process is gone counts for nothing.
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
  // In a container, this process may have the number of the one that is gone.
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
