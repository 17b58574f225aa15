import { useEffect, useRef } from 'preact/hooks'

/** Calls a function every few seconds while a view needs it and the page is visible. */
export function useEvery(isNeeded: boolean, seconds: number, work: () => void): void {
  const latest = useRef(work)
  latest.current = work
  useEffect(() => {
    if (!isNeeded) return undefined
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current()
    }, 1000 * seconds)
    return () => {
      clearInterval(timer)
    }
  }, [isNeeded, seconds])
}
