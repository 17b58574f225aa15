import { readFileSync } from 'node:fs'

/**
 * Whether a process of this machine is there, whoever it belongs to.
 * @param {number} pid
 * @returns {boolean}
 */
export function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * When a process started: the boot of the machine and clock ticks since then. A number that another
 * process has by now comes with another start. null: there is no such process, or no /proc, as on
 * macOS.
 * @param {number} pid
 * @returns {string | null}
 */
export function startOf(pid) {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may hold spaces and parentheses.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTTIME - 3]
    return ticks ? `${boot}/${ticks}` : null
  } catch {
    return null
  }
}

/** Fields of /proc/<pid>/stat count from 1; the first one behind the name is the third. */
const STARTTIME = 22

/**
 * Whether the process that had this number and this start is there. Without /proc, any process that
 * has the number counts as the one.
 * @param {number} pid
 * @param {string | null} start what `startOf` gave when the process was known
 * @returns {boolean}
 */
export function isSameProcess(pid, start) {
  return isAlive(pid) && startOf(pid) === start
}
