import { declareCommand, flag, valueOr, values } from '../declare.ts'
import { json, requireSignature, store } from '../options/shared.ts'

export const check = declareCommand({
  name: 'check',
  about: 'check that everything in the store is as it was written; exit code 1 where it is not',
  options: [
    flag('--read-data', 'read every blob, instead of comparing sizes'),
    flag('--repair', 'delete damaged results that can be computed again'),
    valueOr('--grace <time>', 'results younger than this may be in use, such as 30m, 24h or 7d', '1h'),
    requireSignature('every stage of every run'),
    values('--run <id>', 'with --require-signature: only the stages of this run; may be repeated'),
    json,
    store,
  ],
  action: async () => (await import('../actions/check.ts')).check,
})
