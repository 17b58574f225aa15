import { declareCommand, value } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const sign = declareCommand({
  name: 'sign',
  about: 'attest the results of a run that are in the store, whoever computed them',
  arguments: [{ name: '<run>', about: "a run's id" }],
  options: [
    value('--key <file>', 'the private key; that of ZEROSHIFT_SIGNING_KEY_FILE unless given'),
    json,
    store,
  ],
  action: async () => (await import('../actions/sign.ts')).sign,
})
