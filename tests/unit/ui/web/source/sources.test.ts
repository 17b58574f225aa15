import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { answerScript, answerScriptPath, type RunList } from '../../../../../ui/contract.ts'
import { exportedSource } from '../../../../../ui/web/source/exported-source.ts'
import { liveSource, type Browser } from '../../../../../ui/web/source/live-source.ts'
import { questions } from '../../../../../ui/web/source/questions.ts'
import type { AnswerError, ConnectionState } from '../../../../../ui/web/source/source.ts'

interface Opened {
  readonly path: string
  readonly listeners: Map<string, (data: string) => void>
  open: () => void
  fail: (isClosed: boolean) => void
  isClosed: boolean
}

/** A browser whose connections and clock the test controls. */
function fakeBrowser(answers: Readonly<Record<string, { status: number; body: unknown }>> = {}) {
  const opened: Opened[] = []
  const waiting: { milliseconds: number; work: () => void }[] = []
  const requests: { path: string; init: unknown }[] = []
  const browser: Browser = {
    fetch(path, init) {
      requests.push({ path, init })
      const found = answers[path]
      if (!found) return Promise.reject(new TypeError('failed to fetch'))
      const { status, body } = found
      const json = () =>
        body instanceof Error ? Promise.reject(body) : Promise.resolve<unknown>(structuredClone(body))
      return Promise.resolve({ ok: status < 400, status, json })
    },
    openEvents(path) {
      const events: Opened = {
        ...{ path, listeners: new Map(), isClosed: false },
        open: () => undefined,
        fail: () => undefined,
      }
      opened.push(events)
      return {
        on: (name, listener) => void events.listeners.set(name, listener),
        onOpen: (listener) => void (events.open = listener),
        onError: (listener) => void (events.fail = listener),
        close: () => void (events.isClosed = true),
      }
    },
    later(milliseconds, work) {
      const one = { milliseconds, work }
      waiting.push(one)
      return () => void waiting.splice(waiting.indexOf(one), 1)
    },
  }
  const next = () => {
    const one = waiting.shift()
    one?.work()
    return one?.milliseconds
  }
  return { browser, opened, waiting, requests, next }
}

const last = (opened: readonly Opened[]) => opened.at(-1) ?? expect.unreachable('nothing was opened')

async function failureOf(asked: Promise<unknown>): Promise<AnswerError> {
  return asked.then(
    () => expect.unreachable('expected a failure'),
    (error: unknown) => error as AnswerError,
  )
}

describe('a live source', () => {
  test('returns the answer of the server', async () => {
    const { browser } = fakeBrowser({ 'api/runs': { status: 200, body: { runs: [] } } })
    expect(await liveSource(browser).ask(questions.runs())).toEqual({ runs: [] })
  })
  test('passes on why the server refused, with the remedy', async () => {
    const body = { error: 'no such run', remedy: 'look at the list' }
    const { browser } = fakeBrowser({ 'api/runs/x': { status: 404, body } })
    const { message, remedy } = await failureOf(liveSource(browser).ask(questions.run('x')))
    expect([message, remedy]).toEqual(['no such run', 'look at the list'])
  })
  test('says when something that is not the server answered, or nothing', async () => {
    const { browser } = fakeBrowser({ 'api/store': { status: 502, body: new SyntaxError('<html>') } })
    const source = liveSource(browser)
    expect((await failureOf(source.ask(questions.store()))).message).toContain('502')
    expect((await failureOf(source.ask(questions.runs()))).remedy).toContain('zeroshift ui')
  })
  test('sends the token and the request with a change', async () => {
    const answer = { message: 'paused' }
    const { browser, requests } = fakeBrowser({ 'api/runs/x/delete': { status: 200, body: answer } })
    expect(await liveSource(browser).change('x', 'delete', 'secret', { confirmed: false })).toEqual(answer)
    expect(requests[0]?.init).toEqual({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-zeroshift-token': 'secret' },
      body: '{"confirmed":false}',
    })
  })
  test('follows what a view asks for', () => {
    const { browser, opened } = fakeBrowser()
    const lists: RunList[] = []
    const stop = liveSource(browser).follow({ run: 'a b' }, { runs: (list) => lists.push(list) })
    const { path, listeners } = last(opened)
    expect(path).toBe('api/events?run=a+b')
    expect([...listeners.keys()]).toEqual(['runs'])
    listeners.get('runs')?.('{"runs":[]}')
    expect(lists).toEqual([{ runs: [] }])
    stop()
    expect(last(opened).isClosed).toBe(true)
  })
  test('opens refused connections again, after waits that grow until one is accepted', () => {
    const { browser, opened, waiting, next } = fakeBrowser()
    const states: ConnectionState[] = []
    const stop = liveSource(browser).follow({}, { connection: (state) => states.push(state) })
    const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
      last(opened).fail(true)
      return next()
    })
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    last(opened).open()
    expect(states.at(-1)).toBe('connected')
    last(opened).fail(true)
    expect(states.at(-1)).toBe('lost')
    expect(waiting.map(({ milliseconds }) => milliseconds)).toEqual([1000])
    stop()
    expect(waiting).toEqual([])
    expect(opened.every(({ isClosed }) => isClosed)).toBe(true)
  })
  test('leaves a connection that broke to the browser, which opens it again', () => {
    const { browser, opened, waiting } = fakeBrowser()
    liveSource(browser).follow({}, {})
    last(opened).fail(false)
    expect([opened.length, waiting.length]).toEqual([1, 0])
  })
})

describe('an export', () => {
  /** The scripts of an export, executed when they are loaded. */
  function exported(answers: Readonly<Record<string, unknown>>) {
    const page: { zeroshiftAnswers?: Readonly<Record<string, unknown>> } = {}
    const loaded: string[] = []
    const source = exportedSource(
      () => page.zeroshiftAnswers ?? {},
      (script) => {
        loaded.push(script)
        const path = Object.keys(answers).find((one) => answerScriptPath(one) === script)
        if (path === undefined) return Promise.reject(new Error('404'))
        runInNewContext(answerScript(path, answers[path]), page)
        return Promise.resolve()
      },
    )
    return { source, loaded }
  }
  test('loads the script of an answer once', async () => {
    const list = { runs: [], text: '</script>\u2028 ` ${x} \\' }
    const { source, loaded } = exported({ 'api/runs': list })
    expect(JSON.stringify(await source.ask(questions.runs()))).toBe(JSON.stringify(list))
    await source.ask(questions.runs())
    expect(loaded).toEqual(['api/runs.js'])
  })
  test('keeps keys that JavaScript gives another meaning', async () => {
    const answer = JSON.parse('{"__proto__":{"runs":1}}') as unknown
    const { source } = exported({ 'api/runs': answer })
    expect(JSON.stringify(await source.ask(questions.runs()))).toBe('{"__proto__":{"runs":1}}')
  })
  test('says what it lacks, and changes nothing', async () => {
    const { source } = exported({})
    expect((await failureOf(source.ask(questions.samples('x')))).message).toContain('api/runs/x/samples')
    await expect(source.change('x', 'pause', '')).rejects.toThrow('cannot change')
    const states: ConnectionState[] = []
    source.follow({}, { connection: (state) => states.push(state) })()
    expect(states).toEqual(['none'])
  })
})
