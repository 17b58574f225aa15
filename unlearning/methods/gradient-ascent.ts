import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/**
 * Gradient ascent: max E_{D_f} CE (Graves et al. 2021; Thudi et al. 2022). The objective is
 * unbounded, so the learning rate and the number of epochs must be small.
 */
export const unlearn: Method<'gradient-ascent'> = (method, context) =>
  trainOn(method, context, { indices: context.forget, direction: -1 })
