import { declareCommand, flag, value } from '../declare.ts'
import { detach, json, store, temporal } from '../options/shared.ts'

export const resume = declareCommand({
  name: 'resume',
  about: 'go on with a run or a sweep that failed, was stopped, interrupted or paused',
  arguments: [{ name: '<id>', about: "a run's or a sweep's id" }],
  options: [
    flag('--failed', "a sweep's failed cells as well, from where they were"),
    flag('--restart-failed', "a sweep's failed cells as well, from their beginning"),
    flag('--extend', "add the points that the sweep's config has more of now"),
    value('--max-parallel <n>', 'experiments of a sweep under way at a time'),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/resume.ts')).resume,
})
