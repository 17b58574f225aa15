import { ServiceError, WorkflowFailedError } from '@temporalio/client'
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure } from '@temporalio/common'
import { expect, test } from 'vitest'
import { causeOf, errorReason } from '../../../../cli/server/unwrap-error.ts'

const refused = ApplicationFailure.nonRetryable('the store is not among those allowed', 'UserError')
const activity = new ActivityFailure(
  'Activity task failed',
  'train',
  '1',
  'NON_RETRYABLE_FAILURE',
  '',
  refused,
)
const child = new ChildWorkflowFailure(
  ...(['default', { workflowId: 'w', runId: 'r' }, 'experiment', 'NON_RETRYABLE_FAILURE', activity] as const),
)

test.each([
  ['a workflow', new WorkflowFailedError('Workflow execution failed', refused, 'NON_RETRYABLE_FAILURE')],
  ['an activity', new WorkflowFailedError('Workflow execution failed', activity, 'NON_RETRYABLE_FAILURE')],
  ['a child', new WorkflowFailedError('Workflow execution failed', child, 'NON_RETRYABLE_FAILURE')],
])('why %s failed is said in its own words', (_, error) => {
  expect(errorReason(error)).toBe('the store is not among those allowed')
  expect(causeOf(error)).toBe(refused)
})

test('a call that failed is told by the answer of the server', () => {
  const answer = Object.assign(new Error('14 UNAVAILABLE: no connection established'), { code: 14 })
  expect(causeOf(new ServiceError('Failed to connect to Temporal server', { cause: answer }))).toBe(answer)
})

test('an error of another kind says more than what caused it', () => {
  const cause = new Error('connect ECONNREFUSED')
  const error = new Error('MLflow at http://127.0.0.1:5000 cannot be reached: connect ECONNREFUSED', {
    cause,
  })
  const failed = new WorkflowFailedError('Workflow execution failed', error, 'NON_RETRYABLE_FAILURE')
  expect(errorReason(failed)).toBe(error.message)
  expect(errorReason('it is away')).toBe('it is away')
})

test('what has no cause is its own', () => {
  expect(errorReason(new WorkflowFailedError('it ended', undefined, 'IN_PROGRESS'))).toBe('it ended')
})
