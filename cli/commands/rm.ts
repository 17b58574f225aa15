import { declareCommand, flag, valueOr } from '../declare.ts'
import { json, store, temporal } from '../options/shared.ts'

export const rm = declareCommand({
  name: 'rm',
  about: 'show what removing runs or sweeps would delete; with --delete remove them',
  arguments: [
    { name: '<ids...>', about: 'ids of runs or sweeps, beginnings of ids, or last for the newest' },
  ],
  options: [
    flag('--delete', 'remove them, and free the stages and blobs that only they need'),
    flag(
      '--cells',
      "also remove a sweep's cells, except those of other sweeps and those that were started as runs",
    ),
    valueOr(
      '--grace <time>',
      'leave stages and blobs younger than this to a later gc, such as 30m, 24h or 7d',
      '24h',
    ),
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/rm.ts')).rm,
})
