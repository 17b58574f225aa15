import { randomBytes } from 'node:crypto'
import { Context } from '@temporalio/activity'
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Activities } from '../../../activities/index.ts'
import { progressOf } from '../../../cli/output/run-progress.ts'
import { connect } from '../../../cli/server/temporal.ts'
import { MathError, UserError } from '../../../common/errors.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { errorOf } from '../../support/errors.ts'
import { recording } from '../../support/recording.ts'
import { forFile } from '../../support/release.ts'
import { sampleRun } from '../../support/run.ts'
import { temporalServer, type TestTemporal, thereAt, withWorker } from '../../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

const closing: (() => Promise<void>)[] = []
beforeEach(() => vi.stubEnv('ZEROSHIFT_PAYLOAD_KEYS', undefined))
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})

const keys = { old: randomBytes(32).toString('base64'), new: randomBytes(32).toString('base64') }
const useKeys = (...names: readonly (keyof typeof keys)[]) =>
  vi.stubEnv('ZEROSHIFT_PAYLOAD_KEYS', names.map((name) => `${name}:${keys[name]}`).join(','))

/** As commands have it, with the keys of the moment. */
async function client(): Promise<Client> {
  const { client, close } = await connect(thereAt({ address: server.address }))
  closing.push(close)
  return client
}

/** A word that is in the config of the run and in its failures. */
const MARK = 'forget-the-cats'

async function start(name: string): Promise<WorkflowHandle<() => Promise<RunResult>>> {
  const input = sampleRun({ name })
  const marked = { ...input, run: { ...input.run, command: { config: `${MARK}.yaml`, overrides: [] } } }
  const handle = await (
    await client()
  ).workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [marked],
  })
  return handle as WorkflowHandle as WorkflowHandle<() => Promise<RunResult>>
}

/** All texts and bytes that the server has of a run, as it answers somebody who has no key. */
async function historyOf({ workflowId }: WorkflowHandle): Promise<string> {
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value)
    else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('latin1'))
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(await server.client.workflow.getHandle(workflowId).fetchHistory())
  return texts.join('\n')
}

const failing = () =>
  recording(({ kind }) => {
    if (kind === 'unlearn') throw new MathError(`${MARK} did not converge`)
  }).activities

/** A training that says how far it is until it may go on. */
function waiting(go: Promise<void>): Activities {
  const { activities } = recording()
  return {
    ...activities,
    async train(task) {
      const { heartbeat, info } = Context.current()
      heartbeat({ step: 3, steps: 10, attempt: info.attempt })
      const beating = setInterval(() => heartbeat({ step: 3, steps: 10, attempt: info.attempt }), 100)
      await Promise.race([go, Context.current().cancelled]).finally(() => clearInterval(beating))
      return activities.train(task)
    },
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !(await holds());)
    if (performance.now() > deadline) throw new Error('it never came to hold')
    else await new Promise((resolve) => setTimeout(resolve, 100))
}

describe('what the server keeps of a run', () => {
  /** Words of the spec, of failures and of the titles of stages. */
  const secrets = [MARK, 'learningRate', 'did not converge', 'finetune']

  test('is plain without keys', async () => {
    await withWorker(server.address, failing(), async () => {
      const handle = await start('plain')
      await handle.result().catch(() => undefined)
      const history = await historyOf(handle)
      for (const secret of secrets) expect(history).toContain(secret)
    })
  })

  test('tells nothing of it to whoever lacks the keys, failures included; commands read it', async () => {
    useKeys('new')
    await withWorker(server.address, failing(), async () => {
      const handle = await start('encrypted')
      const error = await errorOf(handle.result(), WorkflowFailedError)
      expect(error.cause?.message).toContain(`${MARK} did not converge`)
      const { stages } = await progressOf(handle)
      expect(stages.flatMap(({ error = [] }) => error)).toContain(`${MARK} did not converge`)
      const history = await historyOf(handle)
      for (const secret of secrets) expect(history).not.toContain(secret)
      expect(history).toContain('binary/encrypted')
    })
  })
})

test('progress is read from encrypted heartbeats', async () => {
  useKeys('new')
  let go: () => void = () => undefined
  const going = new Promise<void>((resolve) => (go = resolve))
  await withWorker(server.address, waiting(going), async () => {
    const handle = await start('beating')
    await until(async () =>
      (await progressOf(handle)).stages.some(
        ({ kind, step, steps }) => kind === 'train' && step === 3 && steps === 10,
      ),
    )
    go()
    expect((await handle.result()).failed).toEqual([])
  })
})

describe('keys change', () => {
  test('while a run goes on: it began under the old key and ends under the new one', async () => {
    useKeys('old')
    const never = new Promise<void>(() => undefined)
    const handle = await start('rotated')
    await withWorker(server.address, waiting(never), () =>
      until(async () => (await progressOf(handle)).stages.some(({ step }) => step === 3)),
    )
    useKeys('new', 'old')
    const { computed } = await withWorker(server.address, recording().activities, async () =>
      (await client()).workflow.getHandle<() => Promise<RunResult>>(handle.workflowId).result(),
    )
    expect(computed).toBeGreaterThan(0)
    const history = await historyOf(handle)
    for (const id of ['old', 'new']) expect(history.split('\n')).toContain(id)
  })

  test('and who lacks the key of a run is told which one it is', async () => {
    useKeys('old')
    const handle = await start('unreadable')
    await withWorker(server.address, recording().activities, () => handle.result())
    useKeys('new')
    const late = (await client()).workflow.getHandle(handle.workflowId)
    const error = await errorOf(late.result(), UserError)
    const { message } = error.cause instanceof Error ? error.cause : error
    expect(message).toMatch(/encrypted with the key 'old', which ZEROSHIFT_PAYLOAD_KEYS does not have/)
  })
})
