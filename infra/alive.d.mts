/** Whether a process of this machine is there, whoever it belongs to. */
export function isAlive(pid: number): boolean
