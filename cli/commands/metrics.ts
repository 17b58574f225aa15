import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const metrics = declareCommand({
  name: 'metrics',
  about: 'list the metrics that a run computes for each model, or show the formula of one',
  arguments: [
    { name: '[name]', about: 'a metric; shows its formula, its source and the reports that have it' },
  ],
  options: [json],
  action: async () => (await import('../actions/metrics.ts')).metrics,
})
