import { margins } from '../../population/margin.ts'
import type { Logits } from '../../metrics/logits.ts'

/**
 * The logits of forgotten samples after their margins φ = log(p_y / (1 − p_y)) are mapped to the
 * distribution of the margins of unseen samples. The map keeps the order, which is optimal
 * transport on a line. The sample at quantile q of the forgotten margins gets the margin at
 * quantile q of the unseen ones. Only the logit of its own class changes. The samples that were
 * remembered best remain the easiest. Accuracy and confidence become those on unseen samples.
 *
 * Returns logits of the forgotten samples, [n_f, classes] row-major.
 */
export function unseenMargins(forget: Logits, unseen: Logits): Float32Array {
  const phi = margins(forget)
  const unseenPhi = margins(unseen).sort()
  const moved = Float32Array.from(forget.values)
  const ascending = Array.from(phi.keys()).sort((a, b) => (phi[a] ?? 0) - (phi[b] ?? 0) || a - b)
  ascending.forEach((sample, rank) => {
    const wanted = quantile(unseenPhi, (rank + 0.5) / phi.length)
    const logit = sample * forget.classes + (forget.labels[sample] ?? 0)
    moved[logit] = (moved[logit] ?? NaN) + wanted - (phi[sample] ?? NaN)
  })
  return moved
}

/** The q-quantile of ascending values by linear interpolation. Value i of n stands at (i + ½)/n. */
function quantile(ascending: Float64Array, q: number): number {
  const at = Math.min(ascending.length - 1, Math.max(0, q * ascending.length - 0.5))
  const [below, share] = [Math.floor(at), at - Math.floor(at)]
  const low = ascending[below] ?? NaN
  return low + share * ((ascending[below + 1] ?? low) - low)
}
