import { declareCommand, requiredValue } from '../declare.ts'
import { adapterBase, json } from '../options/shared.ts'

export const adapterApply = declareCommand({
  name: 'apply',
  about: 'predict the classes of images without the adapter and with it',
  arguments: [
    { name: '<adapter>', about: 'the directory of the adapter' },
    { name: '<images...>', about: 'image files, or folders of them' },
  ],
  options: [requiredValue(...adapterBase), json],
  action: async () => (await import('../actions/adapter-apply.ts')).applyAdapter,
})
