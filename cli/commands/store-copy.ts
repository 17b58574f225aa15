import { declareCommand } from '../declare.ts'
import { copyDryRun, json, keep, someRuns } from '../options/shared.ts'

export const storeCopy = declareCommand({
  name: 'copy',
  about: 'copy results into another store and verify them; repeat it to continue or to update the copy',
  arguments: [
    { name: '<from>', about: 'a store: a directory or a URL' },
    { name: '<to>', about: 'a store, empty or with results' },
  ],
  options: [someRuns, keep, copyDryRun, json],
  action: async () => (await import('../actions/store-copy.ts')).copyStores,
})
