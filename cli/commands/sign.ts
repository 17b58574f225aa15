import { declareCommand } from '../declare.ts'
import { aRun, json, signingKeyFile, signWith, store } from '../options/shared.ts'

export const sign = declareCommand({
  name: 'sign',
  about:
    'attest the results of a run in the store, or add a signature to the certificate of a deletion request',
  arguments: [{ name: '<run>', about: `${aRun}; or the folder of a certificate` }],
  options: [signingKeyFile, signWith, json, store],
  action: async () => (await import('../actions/sign.ts')).sign,
})
