import { declareCommand } from '../declare.ts'
import { device, json, store, temporal } from '../options/shared.ts'

export const doctor = declareCommand({
  name: 'doctor',
  about: 'check what Zeroshift needs on this machine',
  arguments: [
    { name: '[config]', about: 'also check the data, store and tracking server of this experiment' },
  ],
  options: [device, json, store, temporal],
  action: async () => (await import('../actions/doctor.ts')).doctor,
})
