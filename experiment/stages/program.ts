import { counted } from '../../common/counted.ts'
import type { ProgramFile } from '../spec/program.ts'
import { defineStage } from './definition.ts'

/**
 * The files of an external program, as one archive. The command that starts a run stores them, so
 * that every worker can execute the program.
 */
export const program = defineStage<{
  readonly params: { readonly files: readonly ProgramFile[] }
  readonly inputs: Record<never, never>
  readonly metrics: { readonly files: number; readonly bytes: number }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'data',
  about: 'stores the files of an external program',
  work: ({ files, bytes }) => `${counted(files, 'file')}, ${counted(bytes, 'byte')}`,
})
