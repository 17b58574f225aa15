import type { Answer } from './answer.ts'
import type { AnswerContext } from './context.ts'

export async function sessionAnswer({ session }: AnswerContext): Promise<Answer> {
  return { json: await session() }
}
