import { declareCommand, value } from '../declare.ts'
import { runOrSweep, store } from '../options/shared.ts'

export const track = declareCommand({
  name: 'track',
  about: 'send MLflow what it does not have of a run or a sweep, from the results in the store',
  arguments: [{ name: '<id>', about: runOrSweep }],
  options: [value('--tracking <uri>', "an MLflow server; the run's own by default"), store],
  action: async () => (await import('../actions/track.ts')).track,
})
