import type { ProgramExecution } from '../../experiment/spec/program.ts'
import type { ProgramLimits } from '../../programs/execute.ts'

const GIGABYTE = 1e9

/** The limits of a program, with the defaults for those that its config does not set. */
export function limitsOf({ limits = {} }: ProgramExecution = {}): ProgramLimits {
  const { hours = 24, memory = 16, disk = 10, output = 100, silence = 10, grace = 10 } = limits
  return {
    hours,
    memoryBytes: memory * GIGABYTE,
    diskBytes: disk * GIGABYTE,
    outputBytes: output * 1e6,
    silenceSeconds: 60 * silence,
    graceSeconds: grace,
  }
}
