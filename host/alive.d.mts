/** Whether a process of this machine is there, whoever it belongs to. */
export function isAlive(pid: number): boolean
/** When a process started. null: there is no such process, or no /proc, as on macOS. */
export function startOf(pid: number): string | null
/** Whether the process that had this number and this start is there. */
export function isSameProcess(pid: number, start: string | null): boolean
