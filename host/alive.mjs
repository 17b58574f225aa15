import { readFileSync } from 'node:fs'

/**
 * Whether a process of this machine exists. It may belong to any user.
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
 * Returns when a process started, as the id of the machine's boot and the clock ticks since then.
 * It distinguishes processes that had the same number one after the other. Returns null if there is
 * no such process, or no /proc, as on macOS.
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

/**
 * The number of the field in /proc/<pid>/stat, from 1. The first field after the name is the third.
 */
const STARTTIME = 22

/**
 * Whether the process with this number and this start still exists. Without /proc, any process with
 * the number counts.
 * @param {number} pid
 * @param {string | null} start what `startOf` returned when the process was noted
 * @returns {boolean}
 */
export function isSameProcess(pid, start) {
  return isAlive(pid) && startOf(pid) === start
}
