import { declareCommand, value } from '../declare.ts'
import { json, temporal } from '../options/shared.ts'

export const runs = declareCommand({
  name: 'runs',
  about: 'list the runs that all the filters let through',
  options: [
    value('--data <name>', 'of a data set'),
    value('--method <name>', 'with an unlearning method'),
    value('--rank <number>', 'with a method whose adapters have a rank'),
    value('--status <state>', 'running, completed, failed or cancelled'),
    value('--config <hash>', "the last 8 digits of a run's id: what it computes, under any name"),
    value('--sweep <id>', 'of a sweep'),
    value('--limit <number>', 'the newest ones only'),
    json,
    temporal,
  ],
  action: async () => (await import('../actions/runs.ts')).runs,
})
