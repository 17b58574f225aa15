import { declareCommand, flag, valueOr } from '../declare.ts'
import { json, store, temporal } from '../options/shared.ts'

export const rm = declareCommand({
  name: 'rm',
  about: 'remove runs or sweeps: shows what goes and what is shared, and with --delete removes it',
  arguments: [{ name: '<ids...>', about: 'ids of runs or sweeps' }],
  options: [
    flag('--delete', 'remove them, and free the stages and blobs that only they need'),
    flag(
      '--cells',
      "a sweep's cells as well, except those that another sweep has or that were started by themselves",
    ),
    valueOr(
      '--grace <time>',
      'leave stages and blobs that are younger to a later gc, such as 30m, 24h or 7d',
      '24h',
    ),
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/rm.ts')).rm,
})
