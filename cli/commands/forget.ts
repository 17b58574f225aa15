import { declareCommand, flag, value } from '../declare.ts'
import { detach, json, store, temporal } from '../options/shared.ts'

export const forget = declareCommand({
  name: 'forget',
  about: "request the deletion of training samples from a ledger's model, and fulfil the request",
  arguments: [{ name: '<config>', about: "the ledger's YAML file" }],
  options: [
    value('--names <file>', 'a text file with the names of the samples, one in a line'),
    value('--indices <numbers>', 'the numbers of the samples, such as 3,5'),
    value('--reference <text>', "the request's reference, such as a case number"),
    flag('--queued', 'continue with the queued requests, without a new one'),
    flag('--now', "settle the requests of a ledger's batch at once, without waiting for its end"),
    detach,
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/forget.ts')).forget,
})
