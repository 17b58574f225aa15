import { declareCommand, flag, value, values } from '../declare.ts'
import { json } from '../options/shared.ts'

export const dataInspect = declareCommand({
  name: 'inspect',
  about: 'show the classes, the sets and the problems of the data of an experiment, without running it',
  arguments: [{ name: '<config>', about: "the experiment's YAML file" }],
  options: [
    values('-S, --set <path=value>', 'override a part of the config; may be repeated'),
    flag('--names', 'print every sample with its index, its set, its class and its name'),
    value('--images <directory>', 'write a picture with samples of every class to a new folder'),
    json,
  ],
  action: async () => (await import('../actions/data-inspect.ts')).dataInspect,
})
