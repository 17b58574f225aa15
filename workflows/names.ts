/**
 * Names that workers and clients share. They are stored on Temporal servers and must not change.
 */

export const queues = ['zeroshift', 'zeroshift-train'] as const
/**
 * `zeroshift` has the workflows and the activities that need little time and memory. A worker takes
 * one activity at a time from `zeroshift-train`.
 */
export type Queue = (typeof queues)[number]

/** The deployment to which versioned workers belong. */
export const deploymentName = 'zeroshift'

export const workflowType = 'experiment'
export const progressQuery = 'progress'
/**
 * Makes the running stages of a run save a checkpoint and stop. No stage starts until
 * `resumeSignal`. Sweeps and ledgers pass both signals on to their runs.
 */
export const pauseSignal = 'pause'
export const resumeSignal = 'resume'

export const sweepType = 'sweep'
/** An update that changes settings of a running sweep, and returns the sweep's progress. */
export const changeUpdate = 'change'

export const ledgerType = 'ledger'
/**
 * Tells the workflow of a ledger that its store has a new request, or that a batch is to be settled
 * at once.
 */
export const requestedSignal = 'requested'

/** A ledger has one workflow for each store. `store`: the first digits of the digest of its URL. */
export function ledgerWorkflowId(name: string, store: string): string {
  return `zeroshift-ledger-${name}-${store}`
}

export const trackingType = 'tracking'
/**
 * Signals to the workflow that tracks a run or a sweep: there are new results; the run was started
 * again; the run has ended.
 */
export const trackingSignals = { changed: 'changed', begun: 'begun', ended: 'ended' } as const

export function trackingId(runId: string): string {
  return `zeroshift-track-${runId}`
}

/** A run has one workflow: a command that starts a running run follows it. */
export function workflowId(runId: string): string {
  return `zeroshift-${runId}`
}

/** Returns the run or the sweep that a workflow is for. */
export function runOf(id: string, type: string): string {
  const prefix = type === trackingType ? trackingId('') : workflowId('')
  return id.startsWith(prefix) ? id.slice(prefix.length) : id
}

/**
 * Makes runs and sweeps that wait in the same queue take turns, no matter how many tasks each of
 * them has there. Activities and child workflows inherit the key. Temporal accepts 64 bytes, and
 * the end of an id distinguishes runs.
 */
export function fairShare(id: string): { readonly fairnessKey: string } {
  return { fairnessKey: id.slice(-64) }
}
