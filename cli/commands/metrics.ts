import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const metrics = declareCommand({
  name: 'metrics',
  about: 'list the metrics that a run computes for each model',
  options: [json],
  action: async () => (await import('../actions/metrics.ts')).metrics,
})
