import { expect, it } from 'vitest'
import type { RunEntry } from '../../../../ui/contract.ts'
import { EventClient, type EventStream } from '../../../../ui/server/event-client.ts'
import { Poller } from '../../../../ui/server/poller.ts'
import { RunBoard } from '../../../../ui/server/run-board.ts'
import type { Snapshot, Wanted } from '../../../../ui/server/run-reader.ts'
import type { LiveRun, LiveSweep } from '../../../../ui/server/operations.ts'
import type { StoreIndex, StoredSweep } from '../../../../ui/server/store-index.ts'

/** A stream that a test reads, or leaves unread. */
class Stream implements EventStream {
  readonly texts: string[] = []
  isRead = true
  isDestroyed = false
  private drained: (() => void) | undefined

  write(text: string): boolean {
    this.texts.push(text)
    return this.isRead
  }

  once(_event: 'drain', listener: () => void): void {
    this.drained = listener
  }

  destroy(): void {
    this.isDestroyed = true
  }

  /** The client reads what was written. */
  drain(): void {
    this.isRead = true
    this.drained?.()
  }

  get events(): readonly { readonly event: string; readonly data: unknown }[] {
    return this.texts.flatMap((text) =>
      [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event = '', data = '']) => ({
        event,
        data: JSON.parse(data) as unknown,
      })),
    )
  }
}

const entry = (id: string, done: number): RunEntry => ({
  ...{ id, name: id, state: 'running', dataset: '', model: '', split: '', methods: [] },
  ...{ tags: [], failures: [], hasReport: false, stages: { all: 9, done, running: 1, failed: 0 } },
})

/** A poller whose readings a test causes one by one. */
function setUp() {
  const board = new RunBoard()
  const state = {
    ...{ temporal: undefined as string | undefined, done: 0 },
    live: new Map<string, LiveRun>(),
    sweeps: new Map<string, LiveSweep>(),
  }
  const sweep: StoredSweep = { id: 's', name: 's', cells: [['a']], failed: undefined, changedAt: 0 }
  const wanted: Wanted[] = []
  const index: Pick<StoreIndex, 'get' | 'sweep'> = {
    get: (id) => ({ entry: { ...entry(id, 9), state: 'completed' }, isOwn: false }),
    sweep: () => sweep,
  }
  let resume: () => void = () => undefined
  let paused: () => void = () => undefined
  let isPausing = new Promise<void>((resolve) => {
    paused = resolve
  })
  const poller = new Poller({
    read: (asked): Promise<Snapshot> => {
      wanted.push(asked)
      board.update([entry('a', state.done), entry('b', 0)])
      const progress = new Map([['a', { id: 'a', stages: [] }]])
      return Promise.resolve({
        ...{ temporal: state.temporal, board, progress, live: state.live, sweeps: state.sweeps },
        index: index as StoreIndex,
      })
    },
    pause: (signal) =>
      new Promise((resolve, reject) => {
        resume = resolve
        signal.onabort = () => {
          reject(new Error('no client listens'))
        }
        paused()
      }),
  })
  return {
    ...{ poller, state, wanted },
    /** Waits until a reading was delivered. */
    delivered: () => isPausing,
    next: async (): Promise<void> => {
      await isPausing
      isPausing = new Promise<void>((resolve) => {
        paused = resolve
      })
      resume()
      await isPausing
    },
  }
}

it('reads only while a client listens, and asks for what clients look at', async () => {
  const { poller, wanted, delivered, next } = setUp()
  expect(wanted).toHaveLength(0)
  const leave = poller.listen(new EventClient(new Stream(), { run: 'a' }))
  await delivered()
  expect(wanted).toEqual([{ runs: new Set(['a']), sweeps: new Set() }])
  const leaveSecond = poller.listen(new EventClient(new Stream(), { sweep: 's' }))
  await next()
  expect(wanted.at(-1)).toEqual({ runs: new Set(['a']), sweeps: new Set(['s']) })
  leave()
  leaveSecond()
  expect(poller.size).toBe(0)
  const { length } = wanted
  await Promise.resolve()
  expect(wanted).toHaveLength(length)
})

it('sends the whole list first, then what has changed, to each client once', async () => {
  const { poller, state, delivered, next } = setUp()
  const [first, second] = [new Stream(), new Stream()]
  poller.listen(new EventClient(first, { run: 'a' }))
  await delivered()
  poller.listen(new EventClient(second, {}))
  state.done = 1
  state.temporal = '127.0.0.1:7233'
  await next()
  await next()
  expect(first.events).toEqual([
    { event: 'temporal', data: {} },
    { event: 'runs', data: { runs: [entry('a', 0), entry('b', 0)] } },
    { event: 'run', data: { id: 'a', stages: [] } },
    { event: 'temporal', data: { address: '127.0.0.1:7233' } },
    { event: 'runs', data: { runs: [entry('a', 1)], partial: true } },
  ])
  expect(second.events.map(({ event }) => event)).toEqual(['temporal', 'runs', 'temporal', 'runs'])
  poller.stop()
})

it('tells the end of a sweep, which has no progress any more', async () => {
  const { poller, state, delivered, next } = setUp()
  const run: LiveRun = {
    ...{ id: 's', kind: 'sweep', state: 'running' },
    ...{ startedAt: '2026-01-01T00:00:00.000Z', seconds: 1 },
  }
  const progress: LiveSweep['progress'] = {
    ...{
      id: 's',
      startedAt: 0,
      rungs: 1,
      cells: 1,
      done: 0,
      cached: 0,
      incomplete: 0,
      stopped: 0,
      maxParallel: 1,
    },
    ...{ failures: [], running: [{ cell: 0, run: 'a', rung: 0 }] },
  }
  state.live.set('s', run)
  state.sweeps.set('s', { progress, running: [] })
  const stream = new Stream()
  poller.listen(new EventClient(stream, { sweep: 's' }))
  await delivered()
  state.live.set('s', { ...run, state: 'completed' })
  state.sweeps.clear()
  await next()
  await next()
  const news = stream.events.filter(({ event }) => event === 'sweep').map(({ data }) => data)
  expect(news).toHaveLength(2)
  expect(news[0]).toMatchObject({ entry: { state: 'running', done: 0 }, progress })
  expect(news[1]).toMatchObject({ entry: { state: 'completed', done: 1 } })
  expect(news[1]).not.toHaveProperty('progress')
  poller.stop()
})

it('keeps nothing for a client that does not read, and gives it the newest state afterwards', async () => {
  const { poller, state, delivered, next } = setUp()
  const slow = new Stream()
  slow.isRead = false
  poller.listen(new EventClient(slow, {}))
  await delivered()
  expect(slow.texts).toHaveLength(1)
  for (state.done = 1; state.done <= 5; state.done++) await next()
  expect(slow.texts).toHaveLength(1)
  slow.drain()
  await next()
  expect(slow.events.at(-1)).toEqual({ event: 'runs', data: { runs: [entry('a', 6)], partial: true } })
  poller.stop()
})

it('drops a client that never reads', async () => {
  const { poller, delivered, next } = setUp()
  const dead = new Stream()
  dead.isRead = false
  poller.listen(new EventClient(dead, {}))
  await delivered()
  let readings = 0
  while (!dead.isDestroyed && readings < 1000) {
    await next()
    readings += 1
  }
  expect(dead.isDestroyed).toBe(true)
  expect(dead.texts).toHaveLength(1)
  poller.stop()
})

it('goes on after a reading that failed', async () => {
  const errors: unknown[] = []
  let readings = 0
  let done: () => void = () => undefined
  const isDone = new Promise<void>((resolve) => {
    done = resolve
  })
  const poller = new Poller({
    read: () => {
      readings += 1
      if (readings === 3) done()
      return Promise.reject(new Error(`failure ${readings}`))
    },
    pause: () => Promise.resolve(),
    onError: (error) => errors.push(error),
  })
  poller.listen(new EventClient(new Stream(), {}))
  await isDone
  poller.stop()
  expect(errors.slice(0, 2)).toEqual([new Error('failure 1'), new Error('failure 2')])
})

it('shares one reading among requests at the same time', async () => {
  const { poller, wanted } = setUp()
  await Promise.all([poller.latest(), poller.latest(), poller.latest()])
  expect(wanted).toHaveLength(1)
})
