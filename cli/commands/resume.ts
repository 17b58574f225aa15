import { declareCommand, flag, value } from '../declare.ts'
import { detach, json, runOrSweep, store, temporal } from '../options/shared.ts'

export const resume = declareCommand({
  name: 'resume',
  about: 'continue a run or a sweep that failed, was stopped, interrupted or paused, or a paused ledger',
  arguments: [{ name: '<id>', about: runOrSweep }],
  options: [
    flag('--failed', "also run a sweep's failed cells again, from their checkpoints"),
    flag('--restart-failed', "also run a sweep's failed cells again, from their beginning"),
    flag('--extend', "add the points that were added to the sweep's config"),
    value('--max-parallel <n>', 'experiments of a sweep that run at the same time'),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/resume.ts')).resume,
})
