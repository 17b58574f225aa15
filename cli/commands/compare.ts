import { declareCommand, value } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const compare = declareCommand({
  name: 'compare',
  about: 'show the results of runs side by side, and the differences of their specs',
  arguments: [{ name: '<ids...>', about: 'ids of runs, or of sweeps for all of their runs' }],
  options: [
    value('--out <directory>', 'the folder of the report; .zeroshift/comparisons/… by default'),
    json,
    store,
  ],
  action: async () => (await import('../actions/compare.ts')).compare,
})
