import { UserError } from '../../common/errors.ts'
import type { Plan } from './types.ts'
import { stagesOf } from '../stages/stage-list.ts'

/**
 * Temporal ends a workflow whose history has more events than this. A stage adds up to 6: three for
 * its activity and three for a workflow task. In a tracked run it adds up to 5 more: the signal to
 * the workflow that tracks it, and one more task.
 */
const EVENTS = 51_200
const EVENTS_A_STAGE = { untracked: 6, tracked: 11 }
/**
 * The share of the events that stages may use. The rest is for pauses, repairs, and the start and
 * end of a run.
 */
const SHARE = 0.9

/** The greatest number of stages of a run. */
export function mostStages(isTracked: boolean): number {
  return Math.floor((SHARE * EVENTS) / EVENTS_A_STAGE[isTracked ? 'tracked' : 'untracked'])
}

/** Throws a UserError if an experiment has more stages than one workflow can run. */
export function refuseTooLarge(plan: Plan, { isTracked }: { readonly isTracked: boolean }): void {
  const stages = stagesOf(plan).length
  const most = mostStages(isTracked)
  if (stages <= most) return
  const less = isTracked && stages <= mostStages(false) ? ', or leave tracking out' : ''
  throw new UserError(
    `the experiment has ${stages} stages, and one run can have ${most}${isTracked ? ' while it is tracked' : ''}; name fewer seeds, ` +
      `methods or shadow models${less}, or run parts of it as the cells of a sweep, which share what they have in common`,
  )
}
