import { resumeLedger } from '../launch/resume-ledger.ts'
import { resumeStored, type ResumeOptions } from '../launch/resume-stored.ts'
import { withOutput } from '../output/output.ts'

/**
 * `zeroshift resume ID`: continues from the results in the store, or lets a paused ledger go on.
 * Returns the exit code.
 */
export function resume(word: string, options: ResumeOptions): Promise<number> {
  return withOutput(
    options,
    async (output) => (await resumeLedger(word, options, output)) ?? resumeStored(word, options, output),
  )
}
