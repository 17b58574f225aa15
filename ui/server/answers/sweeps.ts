import type { SweepEntry, SweepList } from '../../contract.ts'
import type { Answer } from './answer.ts'
import type { AnswerContext } from './context.ts'
import { sweepEntry } from './sweep-entry.ts'

/** All sweeps, newest first. */
export async function sweepsAnswer({ snapshot }: AnswerContext): Promise<Answer> {
  const state = await snapshot()
  const sweeps = state.index.sweeps().map((sweep) => sweepEntry(sweep, state))
  return { json: { sweeps: sweeps.sort(newestFirst) } satisfies SweepList }
}

const dateOf = ({ startedAt, changedAt = '' }: SweepEntry) => startedAt ?? changedAt

function newestFirst(a: SweepEntry, b: SweepEntry): number {
  return dateOf(a) < dateOf(b) ? 1 : dateOf(a) > dateOf(b) ? -1 : a.id < b.id ? -1 : 1
}
