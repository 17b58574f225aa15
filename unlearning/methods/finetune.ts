import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/** Fine-tuning: min E_{D_r} CE. Forgets by not being reminded (Golatkar et al. 2020, the usual first baseline). */
export const unlearn: Method<'finetune'> = (method, context) =>
  trainOn(method, context, { indices: context.retained })
