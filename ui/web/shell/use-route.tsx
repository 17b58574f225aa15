import { createContext, type ComponentChildren } from 'preact'
import { useCallback, useContext, useEffect, useMemo, useState } from 'preact/hooks'
import { hashOf, parseRoute, type QueryChange, type Route } from './route.ts'

interface Router extends Route {
  /** Changes parameters of the query. No entry is added to the history unless `isStep`. */
  readonly setQuery: (change: QueryChange, isStep?: boolean) => void
  readonly go: (path: readonly string[], query?: QueryChange) => void
}

const RouteContext = createContext<Router | undefined>(undefined)

export function RouteProvider({ children }: { readonly children: ComponentChildren }) {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => {
      setHash(location.hash)
    }
    addEventListener('hashchange', changed)
    return () => {
      removeEventListener('hashchange', changed)
    }
  }, [])
  const setQuery = useCallback((change: QueryChange, isStep = false) => {
    const { path, query } = parseRoute(location.hash)
    const next = hashOf(path, { ...query, ...change })
    if (isStep) location.hash = next
    else history.replaceState(null, '', next)
    setHash(next)
  }, [])
  const go = useCallback((path: readonly string[], query?: QueryChange) => {
    location.hash = hashOf(path, query)
  }, [])
  const router = useMemo(() => ({ ...parseRoute(hash), setQuery, go }), [hash, setQuery, go])
  return <RouteContext.Provider value={router}>{children}</RouteContext.Provider>
}

export function useRoute(): Router {
  const router = useContext(RouteContext)
  if (!router) throw new Error('RouteContext has no router; expected that of the page.')
  return router
}
