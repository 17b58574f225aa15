import { declareCommand, requiredValue } from '../declare.ts'
import { json, signingKeyFile, signWith, store } from '../options/shared.ts'

export const certificate = declareCommand({
  name: 'certificate',
  about: 'write the signed certificate of a deletion request, which anybody can verify offline',
  arguments: [
    { name: '<ledger>', about: 'the name of a ledger, or its YAML file' },
    { name: '<number>', about: 'the number of the request, from 1 on' },
  ],
  options: [requiredValue('--out <directory>', 'a new directory'), signingKeyFile, signWith, json, store],
  action: async () => (await import('../actions/certificate.ts')).certificate,
})
