import type { ActivityOptions } from '@temporalio/workflow'
import type { Queue } from './names.ts'

/** Options of the activities that workflows above experiments use. */

const shared = {
  taskQueue: 'zeroshift' satisfies Queue,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
} satisfies ActivityOptions

/** Of activities that read and write records. */
export const bookkeeping: ActivityOptions = {
  ...shared,
  startToCloseTimeout: '1h',
  heartbeatTimeout: '1m',
}

/** Of the activity that waits for runs, which may take very long. */
export const waiting: ActivityOptions = {
  ...shared,
  startToCloseTimeout: '365d',
  heartbeatTimeout: '10s',
}
