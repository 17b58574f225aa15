import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import { levelOf } from '../../../../worker/worker-log.mjs'
import { attemptLog, logLine, writer } from '../../../../worker/telemetry/log.ts'

/** Returns the lines of a writer that is configured by an environment. */
function written(environment: NodeJS.ProcessEnv, say: (write: ReturnType<typeof writer>) => void): string {
  let text = ''
  const write = (line: string) => {
    text += line
  }
  say(writer(environment, { write }))
  return text
}
const json = { ZEROSHIFT_LOG_FORMAT: 'json', ZEROSHIFT_LOG: 'debug' }
const text = { ZEROSHIFT_LOG_FORMAT: 'text', ZEROSHIFT_LOG: 'debug' }

/** The metadata that the SDK logs with an activity. */
const ofStage = {
  ...{
    workflowId: 'zeroshift-ranks-1a2b3c4d',
    workflowType: 'experiment',
    workflowRunId: 'r',
    namespace: 'default',
  },
  ...{
    activityId: 'ab'.repeat(32),
    activityType: 'train',
    attempt: 3,
    isLocal: false,
    taskToken: 'dG9rZW4=',
  },
}
const line = (message: string, meta: Record<string, unknown>) =>
  ({ level: 'WARN', message, timestampNanos: 0n, meta }) as const

test('a line from a stage has its run, stage and attempt as fields', () => {
  const entry = line('Activity failed', { ...ofStage, taskQueue: 'zeroshift-train' })
  const said = written(json, (write) => {
    logLine(entry, write)
  })
  expect(said.endsWith('\n')).toBe(true)
  const { time, pid, ...rest } = JSON.parse(said) as Record<string, unknown>
  expect(new Date(String(time)).getTime()).toBeGreaterThan(0)
  expect(pid).toBe(process.pid)
  expect(rest).toEqual({
    ...{ level: 'warn', msg: 'Activity failed', run: 'ranks-1a2b3c4d', stage: 'train', key: 'abababababab' },
    ...{ attempt: 3, taskQueue: 'zeroshift-train' },
  })
})

test('an activity that is no stage has its name; what tracks a run is the run; a workflow has its type', () => {
  const activity = { ...ofStage, activityId: '7', activityType: 'track' }
  const tracking = { workflowId: 'zeroshift-track-ranks-1a2b3c4d', workflowType: 'tracking' }
  const said = written(json, (write) => {
    logLine(line('a', { ...activity, ...tracking }), write)
    logLine(line('b', tracking), write)
  })
  const [a, b] = said
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as object)
  expect(a).toMatchObject({ run: 'ranks-1a2b3c4d', stage: 'track', attempt: 3 })
  expect(a).not.toHaveProperty('key')
  expect(b).toMatchObject({ run: 'ranks-1a2b3c4d', workflow: 'tracking' })
})

const secret = 'https://somebody:open-sesame@mlflow.example/api'

describe.each([json, text])('$ZEROSHIFT_LOG_FORMAT', (environment) => {
  test('credentials in URLs are in no part of a line: message, fields, error and its cause', () => {
    const cause = new Error(`fetch of ${secret} failed`)
    const error = ApplicationFailure.create({ message: `no answer from ${secret}`, cause })
    const said = written(environment, (write) => {
      logLine(line(`asked ${secret}`, { ...ofStage, target: secret, error }), write)
      logLine(line('again', { ...ofStage, error: new Error(secret) }), write)
    })
    expect(said).toContain('mlflow.example')
    expect(said).not.toContain('open-sesame')
    expect(said).not.toContain('somebody')
  })

  test('an error is told with its type and stack', () => {
    const said = written(environment, (write) => {
      logLine(line('Activity failed', { ...ofStage, error: new RangeError('too long') }), write)
    })
    expect(said).toContain('RangeError')
    expect(said).toContain('too long')
    expect(said).toContain('log.test.ts')
  })

  test('levels below the one that was asked for are left out', () => {
    const said = written({ ...environment, ZEROSHIFT_LOG: 'warn' }, (write) => {
      write('INFO', 'quiet')
      write('WARN', 'loud')
    })
    expect(said).toContain('loud')
    expect(said).not.toContain('quiet')
  })
})

test('a line for people says whose it is in one place', () => {
  const said = written(text, (write) => {
    attemptLog(write)({
      ...{ run: 'ranks-1a2b3c4d', stage: 'train', key: 'abababababab', attempt: 2 },
      ...{ workflowRunId: undefined, headers: {} },
    })({ outcome: 'computed' }, 1.2345)
  })
  expect(said).toContain(
    'INFO attempt computed (ranks-1a2b3c4d train abababababab, attempt 2, seconds 1.235)\n',
  )
})

test('the level is written in any case, and that of warnings unless given', () => {
  expect(levelOf({ ZEROSHIFT_LOG: 'Debug' })).toBe('DEBUG')
  expect(levelOf({ ZEROSHIFT_LOG: '' })).toBe('WARN')
  expect(levelOf({})).toBe('WARN')
})
