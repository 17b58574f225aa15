import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/** Gradient ascent: max E_{D_f} CE (Graves et al. 2021; Thudi et al. 2022). Unbounded: keep the rate and epochs small. */
export const unlearn: Method<'gradient-ascent'> = (method, context) =>
  trainOn(method, context, { indices: context.forget, direction: -1 })
