import { declareCommand, value } from '../declare.ts'
import { json, store, temporal } from '../options/shared.ts'

export const runs = declareCommand({
  name: 'runs',
  about: 'list the runs that match all filters',
  options: [
    value('--data <name>', 'only runs on this data set'),
    value('--method <name>', 'only runs with this unlearning method'),
    value('--rank <number>', 'only runs with a method whose adapters have this rank'),
    value('--status <state>', 'only runs in this state: running, completed, failed or cancelled'),
    value(
      '--config <hash>',
      'only runs whose ids end with these 8 digits: the same computation under any name',
    ),
    value('--sweep <id>', 'only runs of this sweep'),
    value('--tag <name>', 'only runs with this tag'),
    value('--since <time>', 'only runs that were started since then: a date, or a time such as 12h or 7d'),
    value('--sort <column>', 'the order: started (newest first), took (longest first), run, data or state'),
    value(
      '--columns <names>',
      'the columns, with commas: run, state, data, methods, ranks, sweep, started, took, tags, note',
    ),
    value('--limit <number>', 'only the newest runs, at most this many'),
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/runs.ts')).runs,
})
