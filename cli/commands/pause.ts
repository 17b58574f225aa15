import { declareCommand } from '../declare.ts'
import { runOrSweep, temporal } from '../options/shared.ts'

export const pause = declareCommand({
  name: 'pause',
  about: 'stop a run, a sweep or a ledger at a checkpoint until it is resumed',
  arguments: [{ name: '<id>', about: runOrSweep }],
  options: [temporal],
  action: async () => (await import('../actions/pause.ts')).pause,
})
