import { declareCommand, flag, value, values } from '../declare.ts'
import { detach, json, store, temporal } from '../options/shared.ts'

export const sweep = declareCommand({
  name: 'sweep',
  about: 'run many experiments that share their common stages, or continue them',
  arguments: [{ name: '<config>', about: "the sweep's YAML file" }],
  options: [
    values('-S, --set <path=value>', 'set a part of every experiment; may be repeated'),
    flag('--dry-run', 'show the cells, the shared and the cached stages, and how long the rest takes'),
    value('--max-parallel <n>', "experiments that run at the same time; the config's number by default"),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/sweep.ts')).sweep,
})
