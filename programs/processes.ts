import { readdirSync, readFileSync } from 'node:fs'

/**
 * The processes of a program, as Linux shows them in /proc. Elsewhere the functions find none.
 */

export interface FoundProcess {
  readonly pid: number
  /** Resident memory. */
  readonly bytes: number
}

/** The processes of a session, which is named by the process that began it. */
export function processesOfSession(session: number): readonly FoundProcess[] {
  return numbers().flatMap((pid) => {
    const stat = textOf(`/proc/${pid}/stat`)
    // The second field is the name in parentheses, which may hold spaces and parentheses. The
    // session is the sixth field.
    const [state, , , of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(of) !== session || state === 'Z') return []
    return [{ pid, bytes: kilobytes(textOf(`/proc/${pid}/status`), 'VmRSS') }]
  })
}

/**
 * The memory of a process in bytes, in which memory that several processes share counts by its
 * share. It is slower than reading the resident memory.
 */
export function proportionalMemory(pid: number): number {
  return kilobytes(textOf(`/proc/${pid}/smaps_rollup`), 'Pss')
}

/** The processes that have an environment variable with this value, except this process. */
export function processesWith(variable: string, value: string): readonly number[] {
  const entry = `${variable}=${value}`
  return numbers().filter(
    (pid) => pid !== process.pid && textOf(`/proc/${pid}/environ`).split('\0').includes(entry),
  )
}

function numbers(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

/** The text of a file; empty if the process has ended or belongs to another user. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function kilobytes(text: string, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
}
