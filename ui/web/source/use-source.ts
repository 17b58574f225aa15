import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Failure } from '../../contract.ts'
import type { Question } from './questions.ts'
import { failureOf, type Source } from './source.ts'

export const SourceContext = createContext<Source | undefined>(undefined)

export function useSource(): Source {
  const source = useContext(SourceContext)
  if (!source) throw new Error('SourceContext has no source; expected that of the page.')
  return source
}

/** An answer as a view shows it. The last answer stays while a newer one is loaded. */
export interface Asked<Answer> {
  readonly answer?: Answer
  readonly failure?: Failure
  readonly isLoading: boolean
  readonly reload: () => void
  /** Changes the answer, for example by an event. */
  readonly update: (change: (before: Answer | undefined) => Answer) => void
}

/** Asks the source, again if the path changes. Without a question there is no answer. */
export function useAnswer<Answer>(question: Question<Answer> | undefined): Asked<Answer> {
  const path = question?.path
  const source = useSource()
  const [state, setState] = useState<{
    path: string | undefined
    answer?: Answer
    failure?: Failure
    isLoading: boolean
  }>({
    path,
    isLoading: path !== undefined,
  })
  const count = useRef(0)
  const reload = useCallback(() => {
    const own = ++count.current
    if (path === undefined) return
    setState((before) => (before.path === path ? { ...before, isLoading: true } : { path, isLoading: true }))
    source.ask<Answer>({ path }).then(
      (answer) => {
        if (own === count.current) setState({ path, answer, isLoading: false })
      },
      (error: unknown) => {
        if (own !== count.current) return
        setState(({ answer, path: asked }) => ({
          path,
          ...(asked === path && answer !== undefined && { answer }),
          failure: failureOf(error),
          isLoading: false,
        }))
      },
    )
  }, [source, path])
  useEffect(() => {
    reload()
    return () => {
      // An answer that is still on its way is not shown.
      count.current++
    }
  }, [reload])
  const update = useCallback(
    (change: (before: Answer | undefined) => Answer) => {
      setState((before) => ({
        path,
        answer: change(before.path === path ? before.answer : undefined),
        isLoading: false,
      }))
    },
    [path],
  )
  const current = state.path === path ? state : { path, isLoading: path !== undefined }
  return { ...current, reload, update }
}
