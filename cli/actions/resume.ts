import { resumeStored, type ResumeOptions } from '../launch/resume-stored.ts'
import { withOutput } from '../output/output.ts'

/** `zeroshift resume ID`: continues from the results in the store. Returns the exit code. */
export function resume(word: string, options: ResumeOptions): Promise<number> {
  return withOutput(options, (output) => resumeStored(word, options, output))
}
