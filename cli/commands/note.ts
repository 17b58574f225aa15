import { declareCommand, flag } from '../declare.ts'
import { aRun, json, store } from '../options/shared.ts'

export const note = declareCommand({
  name: 'note',
  about: 'write a note to a run, or show it',
  arguments: [
    { name: '<run>', about: aRun },
    { name: '[text]', about: 'the note, which replaces an earlier one' },
  ],
  options: [flag('--delete', 'delete the note'), json, store],
  action: async () => (await import('../actions/note.ts')).note,
})
