import { declareCommand, flag, values } from '../declare.ts'
import { detach, json, store, temporal } from '../options/shared.ts'

export const run = declareCommand({
  name: 'run',
  about: 'run an experiment, or continue one',
  arguments: [{ name: '<config>', about: "the experiment's YAML file" }],
  options: [
    values('-S, --set <path=value>', 'override a part of the config; may be repeated'),
    flag('--dry-run', 'show the stages, and which of them are cached by earlier runs'),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/run.ts')).run,
})
