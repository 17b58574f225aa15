/** What the worker and the clients must call alike. */

export const queues = ['zeroshift', 'zeroshift-train'] as const
/** `zeroshift` has the workflows and the light activities; `zeroshift-train` one training activity at a time. */
export type Queue = (typeof queues)[number]

/** Of workers that are versioned. */
export const deploymentName = 'zeroshift'

export const workflowType = 'experiment'
export const progressQuery = 'progress'
/** Stages that run keep a checkpoint and stop; none begins until `resumeSignal`. Of a sweep, those of all its runs. */
export const pauseSignal = 'pause'
export const resumeSignal = 'resume'

export const sweepType = 'sweep'
/** An update: what may be changed of a sweep that is going on; it answers the sweep's progress. */
export const changeUpdate = 'change'

export const trackingType = 'tracking'
/** To the workflow that tracks a run: there is something new; the run has begun again; the run has ended. */
export const trackingSignals = { changed: 'changed', begun: 'begun', ended: 'ended' } as const

export function trackingId(runId: string): string {
  return `zeroshift-track-${runId}`
}

/** Starting a run that is running joins it. */
export function workflowId(runId: string): string {
  return `zeroshift-${runId}`
}

/** The run or the sweep that a workflow is for. */
export function runOf(id: string, type: string): string {
  const prefix = type === trackingType ? trackingId('') : workflowId('')
  return id.startsWith(prefix) ? id.slice(prefix.length) : id
}

/**
 * Whose turn it is: runs that wait in the same queue take turns, whatever each has there. Activities and child workflows
 * inherit it. Temporal takes 64 bytes; the end of a run's id tells it from others.
 */
export function fairShare(id: string): { readonly fairnessKey: string } {
  return { fairnessKey: id.slice(-64) }
}
