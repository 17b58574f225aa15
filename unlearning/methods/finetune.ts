import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/**
 * Fine-tuning: min E_{D_r} CE. The model forgets D_f because it is no longer trained on it
 * (Golatkar et al. 2020; the usual first baseline).
 */
export const unlearn: Method<'finetune'> = (method, context) =>
  trainOn(method, context, { indices: context.retained })
