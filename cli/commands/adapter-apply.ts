import { declareCommand, requiredValue } from '../declare.ts'
import { adapterBase, json } from '../options/shared.ts'

export const adapterApply = declareCommand({
  name: 'apply',
  about: 'what images are taken for, without the adapter and with it',
  arguments: [
    { name: '<adapter>', about: 'its directory' },
    { name: '<images...>', about: 'image files, or folders of them' },
  ],
  options: [requiredValue(...adapterBase), json],
  action: async () => (await import('../actions/adapter-apply.ts')).applyAdapter,
})
