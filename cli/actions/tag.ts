import { UserError } from '../../common/errors.ts'
import { tagPattern } from '../../experiment/records/run-labels.ts'
import { changeLabels, printLabels } from '../workspace/labels.ts'

interface TagOptions {
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift tag RUN +a -b`: adds and removes tags of a run. Shows its tags and its note if no
 * change is given. Throws a UserError for a change that is not of this form.
 */
export async function tag(
  word: string,
  changes: readonly string[],
  { json, store }: TagOptions,
): Promise<number> {
  refuseOthers(changes)
  const labels = await changeLabels(word, store, (before) => {
    const tags = new Set(before.tags)
    for (const change of changes)
      if (change.startsWith('+')) tags.add(change.slice(1))
      else tags.delete(change.slice(1))
    return { ...before, tags: [...tags].sort() }
  })
  printLabels(labels, json ?? false)
  return 0
}

function refuseOthers(changes: readonly string[]): void {
  const wrong = changes.filter((change) => !/^[+-]/.test(change) || !tagPattern.test(change.slice(1)))
  if (wrong.length === 0) return
  throw new UserError(
    wrong.map((change) => ({
      message: /^--[a-z]/.test(change)
        ? `error: unknown option '${change}'`
        : `'${change}' is no change of tags; expected +name or -name, with letters, digits and . _ : / - in the name, 64 at most`,
    })),
  )
}
