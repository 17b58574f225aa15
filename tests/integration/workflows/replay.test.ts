import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { workflowBundle } from '../../../worker/bundle.ts'
import { installRuntime } from '../../../worker/worker.ts'

installRuntime()

const directory = new URL('../../replay/histories/', import.meta.url)
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .sort()

/**
 * `npx tsx tests/replay/record.ts VERSION` records the histories. Those of older versions are kept
 * for as long as such runs may be open.
 */
test('there are histories to replay', () => {
  expect(files.length).toBeGreaterThan(0)
})

test.each(files)('a run that was recorded as %s goes on under the workflows of today', async (name) => {
  const history = JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as unknown
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history)
})

test('a change that an open run cannot follow is noticed', async () => {
  const history = JSON.parse(readFileSync(new URL('0.1-tracked.json', directory), 'utf8')) as {
    events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[]
  }
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events)
    if (scheduled?.activityType.name === 'split') scheduled.activityType.name = 'unknown'
  await expect(Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history)).rejects.toThrow(
    /[Nn]ondeterminism/,
  )
})
