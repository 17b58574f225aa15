import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from '@temporalio/worker'
import { beforeAll, expect, test } from 'vitest'
import { workflowBundle } from '../../../worker/bundle.ts'
import { installRuntime } from '../../../worker/worker.ts'

installRuntime()

const directory = new URL('../../replay/histories/', import.meta.url)
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .sort()

const historyIn = (name: string): unknown => JSON.parse(readFileSync(new URL(name, directory), 'utf8'))

/** What came of each replay. One worker replays all, since each would read the workflows anew. */
const errors = new Map<string, Error | undefined>()
beforeAll(async () => {
  const histories = files.map((name) => ({ workflowId: name, history: historyIn(name) }))
  const replays = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, histories)
  for await (const { workflowId, error } of replays) errors.set(workflowId, error)
})

/**
 * `npx tsx tests/replay/record.ts VERSION` records the histories. Those of older versions are kept
 * for as long as such runs may be open.
 */
test('there are histories to replay', () => {
  expect(files.length).toBeGreaterThan(0)
})

test.each(files)('a run that was recorded as %s goes on under the workflows of today', (name) => {
  expect(errors.has(name)).toBe(true)
  expect(errors.get(name)).toBeUndefined()
})

test('a change that an open run cannot follow is noticed', async () => {
  const history = historyIn('0.1-tracked.json') as {
    events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[]
  }
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events)
    if (scheduled?.activityType.name === 'split') scheduled.activityType.name = 'unknown'
  await expect(Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history)).rejects.toThrow(
    /[Nn]ondeterminism/,
  )
})
