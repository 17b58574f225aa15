import { declareCommand, requiredValue } from '../declare.ts'
import { store } from '../options/shared.ts'

export const adapterExport = declareCommand({
  name: 'export',
  about:
    "write a method's adapter, and the original model that it is for, as PEFT and transformers load them",
  arguments: [
    {
      name: '<run>',
      about: 'a run on a pre-trained model: its id, the beginning of it, or last for the newest',
    },
    { name: '[label]', about: "the method's name in the table; needed where several have adapters" },
  ],
  options: [requiredValue('--out <directory>', 'a new directory, for base/ and adapter/'), store],
  action: async () => (await import('../actions/adapter-export.ts')).exportAdapter,
})
