import { trainAdapter } from './shared/train-adapter.ts'
import type { Method } from '../method.ts'
import { objective } from './neggrad-plus.ts'

/**
 * NegGrad+ (Kurmanji et al. 2023) through adapters,
 *
 *     min_{A,B}  α E_{D_r} CE(θ_o + ΔW; x, y)  −  (1 − α) E_{D_f} CE(θ_o + ΔW; x, y)
 *
 * Beside neggrad-plus it shows what adapters do to the objective, beside rfa what alignment adds to adapters. α is
 * `retainedWeight`, 0.95 as there; `alpha` scales ΔW. Training is by default neggrad-plus's too.
 */
export const unlearn: Method<'lora-neggrad-plus'> = (method, context) =>
  trainAdapter(method, context, { ...method, ...objective(method, context, method.retainedWeight) })
