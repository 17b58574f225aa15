import { declareCommand } from '../declare.ts'
import { copyDryRun, json, keep, store } from '../options/shared.ts'

export const storeImport = declareCommand({
  name: 'import',
  about: 'copy the results in a file of `store export` into a store and verify them',
  arguments: [{ name: '<file>', about: 'the tar file' }],
  options: [keep, copyDryRun, json, store],
  action: async () => (await import('../actions/store-import.ts')).importStore,
})
