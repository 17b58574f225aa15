import { exportedSource, type ExportedAnswers } from './exported-source.ts'
import { liveSource, type Browser } from './live-source.ts'
import type { Source } from './source.ts'

declare global {
  // Set by the scripts of an export (answerScript of ui/contract.ts).
  var zeroshiftAnswers: ExportedAnswers | undefined
}

const browser: Browser = {
  fetch: (path, init) => fetch(path, { ...init, cache: 'no-store' }),
  openEvents(path) {
    const events = new EventSource(path)
    return {
      on(name, listener) {
        events.addEventListener(name, ({ data }: MessageEvent<string>) => {
          listener(data)
        })
      },
      onOpen(listener) {
        events.addEventListener('open', listener)
      },
      onError(listener) {
        events.addEventListener('error', () => {
          listener(events.readyState === EventSource.CLOSED)
        })
      },
      close() {
        events.close()
      },
    }
  },
  later(milliseconds, work) {
    const timer = setTimeout(work, milliseconds)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** The source of this page: the server that sent it, or the export that it is a part of. */
export function sourceOfPage(): Source {
  return globalThis.zeroshiftAnswers
    ? exportedSource(() => globalThis.zeroshiftAnswers ?? {}, loadScript)
    : liveSource(browser)
}

/** Adds a script to the page. Each script is loaded once. */
export function loadScript(path: string): Promise<void> {
  const known = scripts.get(path)
  if (known) return known
  const loaded = new Promise<void>((resolve, reject) => {
    const script = document.createElement('script')
    script.src = path
    script.addEventListener('load', () => {
      resolve()
    })
    script.addEventListener('error', () => {
      scripts.delete(path)
      script.remove()
      reject(new Error(`${path} cannot be loaded.`))
    })
    document.head.append(script)
  })
  scripts.set(path, loaded)
  return loaded
}

const scripts = new Map<string, Promise<void>>()
