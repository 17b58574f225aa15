import { declareCommand } from '../declare.ts'
import { aRun, json, store } from '../options/shared.ts'

export const tag = declareCommand({
  name: 'tag',
  about: 'add tags to a run or remove them, or show its tags and its note',
  arguments: [
    { name: '<run>', about: aRun },
    { name: '[changes...]', about: '+name adds a tag, -name removes one' },
  ],
  allowsUnknownOptions: true,
  options: [json, store],
  action: async () => (await import('../actions/tag.ts')).tag,
})
