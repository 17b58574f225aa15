import { declareCommand, flag, value, valueOr } from '../declare.ts'
import { json, store, temporal } from '../options/shared.ts'

export const gc = declareCommand({
  name: 'gc',
  about: 'list what no run in the store needs, and its size',
  options: [
    flag('--delete', 'delete it'),
    valueOr('--grace <time>', 'leave everything that is younger than this, such as 30m, 24h or 7d', '24h'),
    value(
      '--keep-last <n>',
      'keep the newest n runs, remove older ones; a sweep with its cells counts as one',
    ),
    value(
      '--keep-within <time>',
      'keep the runs within this time before the newest one, such as 30d, remove older ones',
    ),
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/gc.ts')).gc,
})
