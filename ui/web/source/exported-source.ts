import { answerScriptPath } from '../../contract.ts'
import { AnswerError, type Source } from './source.ts'

/** Answers that scripts of the export have left, by path. */
export type ExportedAnswers = Readonly<Record<string, unknown>>

/**
 * Answers of an exported folder. A page that was opened from disk may not read files, but may load
 * scripts, so that each answer is a script.
 */
export function exportedSource(
  answers: () => ExportedAnswers,
  loadScript: (path: string) => Promise<void>,
): Source {
  return {
    async ask<Answer>({ path }: { readonly path: string }) {
      if (!(path in answers())) await loadScript(answerScriptPath(path)).catch(() => undefined)
      if (path in answers()) return answers()[path] as Answer
      throw new AnswerError({
        error: `This export does not contain ${path}.`,
        remedy: 'Open the page of the server that made it, or export again with what is missing.',
      })
    },
    follow(_scope, listener) {
      listener.connection?.('none')
      return () => undefined
    },
    change() {
      return Promise.reject(new AnswerError({ error: 'An export cannot change runs.' }))
    },
  }
}
