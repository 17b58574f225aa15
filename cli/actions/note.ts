import { UserError } from '../../common/errors.ts'
import { changeLabels, printLabels } from '../workspace/labels.ts'

interface NoteOptions {
  readonly delete?: true
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift note RUN TEXT`: writes a note to a run. Shows its note and its tags if no text is
 * given.
 */
export async function note(
  word: string,
  text: string | undefined,
  { delete: deletes, json, store }: NoteOptions,
): Promise<number> {
  if (deletes && text !== undefined)
    throw new UserError('--delete deletes the note; expected no text with it')
  const labels = await changeLabels(word, store, ({ tags, note: before }) => {
    const after = deletes ? undefined : (text ?? before)
    return { tags, ...(after !== undefined && { note: after }) }
  })
  printLabels(labels, json ?? false)
  return 0
}
