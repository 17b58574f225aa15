import { createContext, type ComponentChildren } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import type { Failure, Session, TemporalState } from '../../contract.ts'
import type { ConnectionState, Listener, Scope } from '../source/source.ts'
import { useSource } from '../source/use-source.ts'

/** A short message about something that the reader did. */
export interface Notice {
  readonly tone: 'done' | 'failed'
  readonly text: string
  readonly remedy?: string
}

interface PageState {
  readonly session: Session
  readonly connection: ConnectionState
  readonly setConnection: (state: ConnectionState) => void
  /** The Temporal server that answers now, if one does. */
  readonly temporal: TemporalState
  readonly setTemporal: (state: TemporalState) => void
  readonly notice: Notice | undefined
  readonly setNotice: (notice: Notice | undefined) => void
}

const PageContext = createContext<PageState | undefined>(undefined)

/** The state that all views share. */
export function PageStateProvider({
  session,
  children,
}: {
  readonly session: Session
  readonly children: ComponentChildren
}) {
  const [connection, setConnection] = useState<ConnectionState>('none')
  const [notice, setNotice] = useState<Notice>()
  const [temporal, setTemporal] = useState<TemporalState>(
    session.temporal === undefined ? {} : { address: session.temporal },
  )
  const state = useMemo(
    () => ({ session, connection, setConnection, temporal, setTemporal, notice, setNotice }),
    [session, connection, temporal, notice],
  )
  return <PageContext.Provider value={state}>{children}</PageContext.Provider>
}

export function usePageState(): PageState {
  const state = useContext(PageContext)
  if (!state) throw new Error('PageContext has no state; expected that of the page.')
  return state
}

/** Follows a scope while a view is shown. The listener may differ in each call. */
export function useFollow({ run, sweep }: Scope, listener: Omit<Listener, 'connection' | 'temporal'>): void {
  const source = useSource()
  const { setConnection, setTemporal } = usePageState()
  const latest = useMemo<{ current: Omit<Listener, 'connection' | 'temporal'> }>(() => ({ current: {} }), [])
  latest.current = listener
  useEffect(() => {
    const end = source.follow(
      { ...(run !== undefined && { run }), ...(sweep !== undefined && { sweep }) },
      {
        runs: (list) => latest.current.runs?.(list),
        run: (progress) => latest.current.run?.(progress),
        sweep: (news) => latest.current.sweep?.(news),
        temporal: setTemporal,
        connection: setConnection,
      },
    )
    return () => {
      end()
      setConnection('none')
    }
  }, [source, run, sweep, latest, setConnection, setTemporal])
}

/** Sets the title of the browser's tab. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Zeroshift`
  }, [title])
}

/** A failure with its remedy. */
export function FailureBanner({ failure, title }: { readonly failure: Failure; readonly title: string }) {
  return (
    <div class="banner alert" role="alert">
      <p>
        <strong>{title}</strong> {failure.error}
      </p>
      {failure.remedy !== undefined && <p>{failure.remedy}</p>}
    </div>
  )
}

/** Stands in place of an answer: why it cannot be had or, until then, what is waited for. */
export function NoAnswer({
  failure,
  title,
  waiting = 'Loading …',
}: {
  readonly failure: Failure | undefined
  readonly title: string
  readonly waiting?: string
}) {
  if (failure) return <FailureBanner title={title} failure={failure} />
  return (
    <p class="note" role="status">
      {waiting}
    </p>
  )
}
