import { event } from '../../common/event.ts'
import type { StageKind } from '../../experiment/stages/stage.ts'

/** Steps of a loop were completed by this attempt. */
export const stepped = event<{ readonly kind: StageKind; readonly steps: number }>('steps')

/** A checkpoint was saved, which took so many seconds. */
export const checkpointed = event<{ readonly kind: StageKind; readonly seconds: number }>('checkpoint')

/**
 * TensorFlow was loaded. The message is a function that returns the bytes of its tensors on the
 * device.
 */
export const deviceLoaded = event<() => number>('device')
