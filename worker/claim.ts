import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAlive } from '../infra/alive.mjs'

/**
 * Claims a file for this process as long as it lives, or answers undefined where another living process has it.
 * A claim whose process is gone counts for nothing.
 */
export function claim(path: string): { release(): void } | undefined {
  const note = `${path}.pid`
  for (let attempt = 0; attempt < 3; attempt++)
    try {
      writeFileSync(note, String(process.pid), { flag: 'wx' })
      return {
        release: () => {
          rmSync(note, { force: true })
        },
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = Number(read(note))
      // In a container, this process may have the number of the one that is gone.
      if (holder !== process.pid && isAlive(holder)) return undefined
      rmSync(note, { force: true })
    }
  return undefined
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
