import { declareCommand } from '../declare.ts'
import { aRun, json, signingKeyFile, signWith, store } from '../options/shared.ts'

export const sign = declareCommand({
  name: 'sign',
  about: 'attest the results of a run in the store, regardless of who computed them',
  arguments: [{ name: '<run>', about: aRun }],
  options: [signingKeyFile, signWith, json, store],
  action: async () => (await import('../actions/sign.ts')).sign,
})
