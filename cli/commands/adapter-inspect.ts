import { declareCommand, value } from '../declare.ts'
import { adapterBase, json } from '../options/shared.ts'

export const adapterInspect = declareCommand({
  name: 'inspect',
  about: 'show ranks, scales, layers, sizes and metadata',
  arguments: [{ name: '<adapter>', about: 'the directory of the adapter' }],
  options: [value(...adapterBase), json],
  action: async () => (await import('../actions/adapter-inspect.ts')).inspectAdapter,
})
