import type { Activities } from '../../activities/index.ts'
import type { JudgeTask, SettleTask } from '../../activities/ledger.ts'
import { recording } from './recording.ts'
import { sampleRun } from './run.ts'

/** Activities of ledgers that read no store and compute nothing. */

/**
 * A queue of requests with a ladder of two steps. `accepts` says whether the model of a step is
 * accepted.
 */
export function ledgerQueue(name: string, requests: number, accepts: (task: JudgeTask) => boolean) {
  const { activities, calls } = recording()
  const open = Array.from({ length: requests }, (_, i) => i + 1)
  const judged: JudgeTask[] = []
  const settled: SettleTask[] = []
  const runs = new Map<string, ReturnType<typeof sampleRun>['run']>()
  const ledger: Activities = {
    ...activities,
    nextRequest: () => {
      const [number] = open
      return Promise.resolve(number === undefined ? {} : { next: { number, steps: ['first', 'second'] } })
    },
    planStep: ({ number, step }) => {
      const { run } = sampleRun({ name: `${name}-${number}-${step}` })
      runs.set(run.id, run)
      return Promise.resolve({ run: run.id, attributes: [] })
    },
    planPart: ({ id }) =>
      Promise.resolve({
        text: JSON.stringify(runs.get(id)?.plan),
        parts: 1,
        byKey: false,
        settings: {},
        kept: [],
      }),
    judgeStep: (task) => {
      judged.push(task)
      const outcome = accepts(task) ? 'accepted' : 'missed'
      const { step, run } = task
      return Promise.resolve({
        ...{ label: String(step), method: 'rfa', run, claim: 'measured', evidence: [], outcome },
      })
    },
    settleRequest: (task) => {
      settled.push(task)
      open.shift()
      return Promise.resolve({ number: task.number, state: 'fulfilled', claim: 'measured' })
    },
  }
  return { ledger, calls, judged, settled, add: () => open.push(open.length + settled.length + 1) }
}

/** The same queue for a ledger with batches of a day, which end when that is asked for. */
export function batchedQueue(name: string, requests: number) {
  const made = ledgerQueue(name, requests, () => true)
  const asked: (boolean | undefined)[] = []
  const all = Array.from({ length: requests }, (_, i) => i + 1)
  let isSettled = false
  const ledger: Activities = {
    ...made.ledger,
    nextRequest: ({ now }) => {
      asked.push(now)
      const [first = 1, last = 1] = [all[0], all.at(-1)]
      if (isSettled) return Promise.resolve({})
      if (now) return Promise.resolve({ next: { number: first, last, steps: ['first'] } })
      const until = '2026-12-01T12:00:00.000Z'
      return Promise.resolve({ waiting: { first, last, until, left: 86_400_000 } })
    },
    settleRequest: (task) => {
      made.settled.push(task)
      isSettled = true
      return Promise.resolve({ number: task.number, state: 'fulfilled', claim: 'measured' })
    },
  }
  return { ...made, ledger, asked, add: () => all.push(all.length + 1) }
}
