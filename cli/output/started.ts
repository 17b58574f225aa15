import type { Output } from './output.ts'

/** Prints that a run or a sweep was started with `--detach`. Returns the exit code. */
export function printStarted(id: string, contents: string, { printLine, answer }: Output): number {
  printLine(`${id}: ${contents}, started. Follow it with: ./zeroshift status ${id}`)
  return answer(0, { id, status: 'running' })
}
