import { answerScriptPath, paths, type Failure } from '../../contract.ts'
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
      throw new AnswerError(missingIn(path))
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

function missingIn(path: string): Failure {
  if (path.startsWith(COMPARISONS))
    return {
      error: 'This export does not contain the comparison of these runs.',
      remedy:
        'An export of up to six runs has the comparison of each selection, one of up to eleven that of each pair, and any that of all runs.',
    }
  return {
    error: `This export does not contain ${path}.`,
    remedy: 'Open the page of the server that made it, or export again with what is missing.',
  }
}

const COMPARISONS = paths.comparison([])
