import { declareCommand, flag, value, values } from '../declare.ts'
import { detach, json, store, temporal } from '../options/shared.ts'

export const sweep = declareCommand({
  name: 'sweep',
  about: 'run many experiments that share what they can, or go on with them',
  arguments: [{ name: '<config>', about: "the sweep's YAML file" }],
  options: [
    values('-S, --set <path=value>', 'set a part of every experiment; may be repeated'),
    flag('--dry-run', 'show the cells, what is shared and cached, and how long the rest takes'),
    value('--max-parallel <n>', "experiments under way at a time; the config's number unless given"),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/sweep.ts')).sweep,
})
