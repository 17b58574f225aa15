import { declareCommand, value } from '../declare.ts'
import { store } from '../options/shared.ts'

export const report = declareCommand({
  name: 'report',
  about: 'render the report of a run or a sweep again, from what is in the store',
  arguments: [{ name: '<id>', about: "a run's or a sweep's id" }],
  options: [value('--out <directory>', 'where to put it; beside the run in the store unless given'), store],
  action: async () => (await import('../actions/report.ts')).report,
})
