import { declareCommand, requiredValue } from '../declare.ts'
import { adapterBase } from '../options/shared.ts'

export const adapterMerge = declareCommand({
  name: 'merge',
  about: 'write the checkpoint with the adapter folded in',
  arguments: [{ name: '<adapter>', about: 'the directory of the adapter' }],
  options: [requiredValue(...adapterBase), requiredValue('--out <directory>', 'a new directory')],
  action: async () => (await import('../actions/adapter-merge.ts')).mergeAdapter,
})
