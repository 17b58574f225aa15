import { declareCommand } from '../declare.ts'
import { runOrSweep, temporal } from '../options/shared.ts'

export const cancel = declareCommand({
  name: 'cancel',
  about: 'end a run, a sweep or a ledger; its results so far are kept',
  arguments: [{ name: '<id>', about: runOrSweep }],
  options: [temporal],
  action: async () => (await import('../actions/cancel.ts')).cancel,
})
