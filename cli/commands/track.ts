import { declareCommand, value } from '../declare.ts'
import { store } from '../options/shared.ts'

export const track = declareCommand({
  name: 'track',
  about: 'send what MLflow does not have of a run or a sweep yet, from what is in the store',
  arguments: [{ name: '<id>', about: "a run's or a sweep's id" }],
  options: [value('--tracking <uri>', "an MLflow server; the run's own unless given"), store],
  action: async () => (await import('../actions/track.ts')).track,
})
