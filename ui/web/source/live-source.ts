import { paths, type Failure } from '../../contract.ts'
import { AnswerError, type Listener, type Scope, type Source } from './source.ts'

/** The parts of a browser that a live source uses. */
export interface Browser {
  fetch(path: string, init?: PostInit): Promise<Response>
  openEvents(path: string): Events
  /** Calls a function later. Returns a function that cancels it. */
  later(milliseconds: number, work: () => void): () => void
}

interface PostInit {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Response {
  readonly ok: boolean
  readonly status: number
  json(): Promise<unknown>
}

/** The part of an EventSource that is used. */
export interface Events {
  /** Calls the listener with the data of each event of this name. */
  on(name: 'runs' | 'run' | 'sweep' | 'temporal', listener: (data: string) => void): void
  onOpen(listener: () => void): void
  /** `isClosed`: the browser does not try again by itself. */
  onError(listener: (isClosed: boolean) => void): void
  close(): void
}

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000
const UNREACHABLE: Failure = {
  error: 'The server does not answer.',
  remedy: 'Look whether `zeroshift ui` still runs, and start it again if not. This page then continues.',
}

/** Answers of the server of `zeroshift ui`. */
export function liveSource(browser: Browser): Source {
  async function answer(path: string, init?: PostInit): Promise<unknown> {
    const response = await browser.fetch(path, init).catch(() => {
      throw new AnswerError(UNREACHABLE)
    })
    const body = await response.json().catch(() => undefined)
    if (response.ok) return body
    throw new AnswerError(
      isFailure(body) ? body : { error: `The server answered ${path} with ${response.status}.` },
    )
  }
  return {
    // The contract gives the type of each answer. The server and this page are of one version.
    ask: <Answer>({ path }: { readonly path: string }) => answer(path) as Promise<Answer>,
    follow: (scope, listener) => follow(browser, scope, listener),
    change: (run, action, token, request = {}) =>
      answer(paths.control(run, action), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zeroshift-token': token },
        body: JSON.stringify(request),
      }) as ReturnType<Source['change']>,
  }
}

/**
 * Follows the events. A browser tries again by itself if a connection breaks, but not if the server
 * refused it, for example because it was just starting.
 */
function follow(browser: Browser, scope: Scope, listener: Listener): () => void {
  let events: Events
  let cancel: (() => void) | undefined
  let wait = FIRST_WAIT_MS
  const open = () => {
    events = browser.openEvents(paths.events(scope))
    const { runs, run, sweep, temporal } = listener
    if (runs) events.on('runs', parsed(runs))
    if (run) events.on('run', parsed(run))
    if (sweep) events.on('sweep', parsed(sweep))
    if (temporal) events.on('temporal', parsed(temporal))
    events.onOpen(() => {
      wait = FIRST_WAIT_MS
      listener.connection?.('connected')
    })
    events.onError((isClosed) => {
      listener.connection?.('lost')
      if (!isClosed) return
      events.close()
      cancel = browser.later(wait, open)
      wait = Math.min(LONGEST_WAIT_MS, 2 * wait)
    })
  }
  open()
  return () => {
    cancel?.()
    events.close()
  }
}

const parsed =
  <Answer>(tell: (answer: Answer) => void) =>
  (data: string) => {
    tell(JSON.parse(data) as Answer)
  }

function isFailure(body: unknown): body is Failure {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'
}
