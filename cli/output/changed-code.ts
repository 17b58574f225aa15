import { changedCodeOf } from '../../experiment/stages/code.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { short } from '../../report/format.ts'
import type { Output } from './output.ts'

/**
 * Prints one line with the code of these runs that differs from the lock. Prints nothing if none
 * does.
 */
export function printChangedCode(
  runs: Iterable<Pick<RunRecord, 'plan'>>,
  { printLine }: Pick<Output, 'printLine'>,
): void {
  const changed = changedCodeOf([...runs].flatMap(({ plan }) => stagesOf(plan)))
  if (changed.length === 0) return
  const list = changed.map(({ name, digest }) => `${name} (${short(digest)})`).join(', ')
  printLine(
    `Changed code, whose stages have keys of their own: ${list}. See experiment/stages/code-lock.json.`,
  )
}
