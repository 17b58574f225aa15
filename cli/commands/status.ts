import { declareCommand, flag } from '../declare.ts'
import { json, runOrSweep, temporal } from '../options/shared.ts'

export const status = declareCommand({
  name: 'status',
  about: 'list the runs, sweeps and ledgers, or show the progress of one',
  arguments: [{ name: '[id]', about: runOrSweep }],
  options: [flag('--watch', 'show its progress until it ends'), json, temporal],
  action: async () => (await import('../actions/status.ts')).status,
})
