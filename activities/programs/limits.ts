import type { ProgramExecution } from '../../experiment/spec/program.ts'
import { defaultLimits, type ProgramLimits } from '../../programs/usage-limits.ts'

/** The limits of a program, with the defaults for those that its config does not set. */
export function limitsOf({ limits = {} }: ProgramExecution = {}): ProgramLimits {
  const { hours, memory, disk, output, silence, grace } = limits
  return {
    ...defaultLimits,
    ...(hours !== undefined && { hours }),
    ...(memory !== undefined && { memoryBytes: memory * 1e9 }),
    ...(disk !== undefined && { diskBytes: disk * 1e9 }),
    ...(output !== undefined && { outputBytes: output * 1e6 }),
    ...(silence !== undefined && { silenceSeconds: 60 * silence }),
    ...(grace !== undefined && { graceSeconds: grace }),
  }
}
