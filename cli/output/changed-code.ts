import { changedCodeOf } from '../../experiment/stages/code.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { short } from '../../report/format.ts'
import type { Output } from './output.ts'

/**
 * Says in one line which code of these runs is not the locked one. Says nothing where all of it is.
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
