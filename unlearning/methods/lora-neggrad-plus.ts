import { trainAdapter } from './shared/train-adapter.ts'
import type { Method } from '../method.ts'
import { objective } from './neggrad-plus.ts'

/**
 * NegGrad+ (Kurmanji et al. 2023) with a LoRA adapter:
 *
 *     min_{A,B}  α E_{D_r} CE(θ_o + ΔW; x, y)  −  (1 − α) E_{D_f} CE(θ_o + ΔW; x, y)
 *
 * The comparison with neggrad-plus shows the effect of the adapter, and the comparison with rfa the
 * effect of alignment. α is `retainedWeight`, 0.95 by default as in neggrad-plus, where the authors
 * have 0.9999 for CIFAR-10; `alpha` scales ΔW. The defaults of the training are those of
 * neggrad-plus.
 */
export const unlearn: Method<'lora-neggrad-plus'> = (method, context) =>
  trainAdapter(method, context, { ...method, ...objective(method, context, method.retainedWeight) })
