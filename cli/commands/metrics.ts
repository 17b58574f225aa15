import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const metrics = declareCommand({
  name: 'metrics',
  about: 'list the figures that a run computes of each model',
  options: [json],
  action: async () => (await import('../actions/metrics.ts')).metrics,
})
