import { declareCommand, requiredValue } from '../declare.ts'
import { aRun, store } from '../options/shared.ts'

export const exportCommand = declareCommand({
  name: 'export',
  about: "write a method's model with its weights, a PyTorch module that loads them, and a model card",
  arguments: [
    { name: '<run>', about: aRun },
    { name: '<method>', about: "the method's name in the table" },
  ],
  options: [requiredValue('--out <directory>', 'a new directory'), store],
  action: async () => (await import('../actions/export.ts')).exportModel,
})
