import { margins } from '../../population/margin.ts'
import type { Logits } from '../../metrics/logits.ts'

/**
 * What the logits of forgotten samples would be if their margins φ = log(p_y / (1 − p_y)) had the distribution that
 * samples have which the model never saw. The order is kept, which is the transport of least cost between two distributions
 * on a line: the sample whose margin is at quantile q among the forgotten gets the margin at quantile q among the unseen, by a
 * change of its own class's logit alone. What was remembered best stays easiest; how many are right, and how sure, is as on
 * unseen samples.
 *
 * forget, unseen: logits and labels. Returns [n_f, classes] row-major.
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

/** Of ascending values, each of which stands at the middle of its n-th; linear between them. */
function quantile(ascending: Float64Array, q: number): number {
  const at = Math.min(ascending.length - 1, Math.max(0, q * ascending.length - 0.5))
  const [below, share] = [Math.floor(at), at - Math.floor(at)]
  const low = ascending[below] ?? NaN
  return low + share * ((ascending[below + 1] ?? low) - low)
}
