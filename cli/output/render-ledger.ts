import type { LedgerProgress } from '../../experiment/ledger/ledger.ts'
import type { Writer } from './follow.ts'
import { clip, dateText } from './format.ts'

/** Each step has a line of its own. */
export const ledgerWriter: Writer<LedgerProgress> = {
  render: (progress, width) => clip(currentLine(progress) ?? progress.name, width),
  changedLines: (before, after) => {
    const [earlier, line] = [before && currentLine(before), currentLine(after)]
    return line === undefined || line === earlier ? [] : [line]
  },
}

function currentLine({ name, paused, waiting, current }: LedgerProgress): string | undefined {
  const state = paused ? ', paused' : ''
  if (current) {
    const { number, last = number, step, steps, label, run } = current
    return `${requestsText(number, last)}: step ${step} of ${steps}, ${label} (${run})${state}`
  }
  if (waiting)
    return `${requestsText(waiting.first, waiting.last)}: waiting until ${dateText(Date.parse(waiting.until))}${state}`
  return paused ? `${name}: paused` : undefined
}

/** `request 3`, `requests 3 to 5` */
export function requestsText(first: number, last: number): string {
  return first === last ? `request ${first}` : `requests ${first} to ${last}`
}
