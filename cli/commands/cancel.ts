import { declareCommand } from '../declare.ts'
import { temporal } from '../options/shared.ts'

export const cancel = declareCommand({
  name: 'cancel',
  about: 'end a run or a sweep; what is done is kept',
  arguments: [{ name: '<id>', about: "a run's or a sweep's id" }],
  options: [temporal],
  action: async () => (await import('../actions/cancel.ts')).cancel,
})
