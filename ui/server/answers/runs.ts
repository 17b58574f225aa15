import type { RunList } from '../../contract.ts'
import type { Answer } from './answer.ts'
import type { AnswerContext } from './context.ts'

/** All runs, newest first. */
export async function runsAnswer({ snapshot }: AnswerContext): Promise<Answer> {
  const { board } = await snapshot()
  return { json: board.list() satisfies RunList, text: board.text() }
}
