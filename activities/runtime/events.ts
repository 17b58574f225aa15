import { event } from '../../common/event.ts'
import type { StageKind } from '../../experiment/stages/stage.ts'

/** Steps of a loop that were taken, those of earlier attempts not counted. */
export const stepped = event<{ readonly kind: StageKind; readonly steps: number }>('steps')

/** A checkpoint is in the store. */
export const checkpointed = event<{ readonly kind: StageKind; readonly seconds: number }>('checkpoint')

/** TensorFlow is loaded: what answers the bytes that its tensors take on the device. */
export const deviceLoaded = event<() => number>('device')
