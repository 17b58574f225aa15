import type { LedgerProgress } from '../../experiment/ledger/ledger.ts'
import type { Writer } from './follow.ts'
import { clip } from './format.ts'

/** Each step has a line of its own. */
export const ledgerWriter: Writer<LedgerProgress> = {
  render: (progress, width) => clip(currentLine(progress) ?? progress.name, width),
  changedLines: (before, after) => {
    const [earlier, line] = [before && currentLine(before), currentLine(after)]
    return line === undefined || line === earlier ? [] : [line]
  },
}

function currentLine({ current }: LedgerProgress): string | undefined {
  if (!current) return undefined
  const { number, step, steps, label, run } = current
  return `request ${number}: step ${step} of ${steps}, ${label} (${run})`
}
