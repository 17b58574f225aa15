import type { ControlAction, RunState } from '../../contract.ts'

/** The actions that need no number. */
export type PlainAction = Exclude<ControlAction, 'parallelism'>

/** The actions that make sense for a run in a state. */
export function actionsFor(state: RunState): readonly PlainAction[] {
  switch (state) {
    case 'running':
      return ['pause', 'cancel']
    case 'paused':
      return ['resume', 'cancel']
    case 'completed':
      return ['delete']
    case 'incomplete':
    case 'interrupted':
    case 'failed':
    case 'cancelled':
      return ['retry', 'delete']
  }
}
