/** What the worker and the clients must call alike. */

export const queues = ['zeroshift', 'zeroshift-train'] as const
/** `zeroshift` has the workflows and the light activities; `zeroshift-train` one training activity at a time. */
export type Queue = (typeof queues)[number]

export const workflowType = 'experiment'
export const progressQuery = 'progress'

/** Starting a run that is running joins it. */
export function workflowId(runId: string): string {
  return `zeroshift-${runId}`
}
