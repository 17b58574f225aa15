import { declareCommand, value } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const compare = declareCommand({
  name: 'compare',
  about: 'put the results of runs side by side, and say in what their specs differ',
  arguments: [{ name: '<ids...>', about: 'ids of runs, or of sweeps for all of theirs' }],
  options: [
    value('--out <directory>', 'where to put the report; .zeroshift/comparisons/… unless given'),
    json,
    store,
  ],
  action: async () => (await import('../actions/compare.ts')).compare,
})
