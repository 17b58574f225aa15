/** Whether a process of this machine exists. It may belong to any user. */
export function isAlive(pid: number): boolean
/** Returns when a process started, or null if there is no such process or no /proc, as on macOS. */
export function startOf(pid: number): string | null
/** Whether the process with this number and this start still exists. */
export function isSameProcess(pid: number, start: string | null): boolean
