import { declareCommand, value } from '../declare.ts'
import { aRun, json, store } from '../options/shared.ts'

export const sign = declareCommand({
  name: 'sign',
  about: 'attest the results of a run in the store, regardless of who computed them',
  arguments: [{ name: '<run>', about: aRun }],
  options: [
    value('--key <file>', 'the private key; the one in ZEROSHIFT_SIGNING_KEY_FILE by default'),
    json,
    store,
  ],
  action: async () => (await import('../actions/sign.ts')).sign,
})
