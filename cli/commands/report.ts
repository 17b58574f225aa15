import { declareCommand, flag, value } from '../declare.ts'
import { runOrSweep, store } from '../options/shared.ts'

export const report = declareCommand({
  name: 'report',
  about: 'render the report of a run or a sweep again, from the results in the store',
  arguments: [{ name: '<id>', about: runOrSweep }],
  options: [
    value('--out <directory>', 'the folder of the report; beside the run in the store by default'),
    flag(
      '--without-outcomes',
      'with --out: leave out outcomes.json, which has figures of single forgotten samples',
    ),
    store,
  ],
  action: async () => (await import('../actions/report.ts')).report,
})
