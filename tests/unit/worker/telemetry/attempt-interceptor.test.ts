import { CancelledFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import {
  ComputedElsewhereError,
  DamagedInputError,
  HandedOverError,
  asFailure,
} from '../../../../activities/runtime/errors.ts'
import { LeaseLostError } from '../../../../artifacts/progress/lease.ts'
import { MathError, UserError } from '../../../../common/errors.ts'
import { attemptOf, endBy } from '../../../../worker/telemetry/attempt-interceptor.ts'

/** Runs an activity that fails with an error, and tells what Temporal sees. */
const told = (error: Error) =>
  new MockActivityEnvironment({ attempt: 1 }).run(() => Promise.resolve(asFailure(error)))

test.each([
  [new UserError('no such class'), 'user'],
  [new MathError('the loss is not finite'), 'math'],
  [new Error('the store is away'), 'world'],
  [new TypeError('a bug'), 'world'],
  [new DamagedInputError('a byte is wrong', 'k'), 'world'],
  [new LeaseLostError('taken over'), 'lost'],
] as const)('%s is a failure of kind %s', async (error, kind) => {
  expect(endBy(await told(error))).toMatchObject({
    outcome: 'failed',
    kind,
    error: { message: error.message },
  })
})

test.each([
  [new HandedOverError('the worker stops'), 'handed-over'],
  [new ComputedElsewhereError(250), 'waits'],
  [new CancelledFailure('paused'), 'cancelled'],
] as const)('%s is no failure but %s', async (error, outcome) => {
  expect(endBy(await told(error))).toEqual({ outcome })
})

test('an attempt is told by its run, its stage and the beginning of the key', () => {
  const words = { workflowId: 'zeroshift-a-1', workflowType: 'experiment', activityType: 'train', attempt: 2 }
  expect(attemptOf({ ...words, activityId: '0123456789abcdef'.repeat(4) })).toEqual({
    ...{ run: 'a-1', stage: 'train', key: '0123456789ab', attempt: 2 },
  })
  // A run may be called anything.
  expect(attemptOf({ ...words, workflowId: 'zeroshift-track-a-1', activityId: '3' })).toEqual({
    ...{ run: 'track-a-1', stage: 'train', attempt: 2 },
  })
})
