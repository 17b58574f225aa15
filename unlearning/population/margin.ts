import { rows, type Logits } from '../metrics/logits.ts'

/**
 * The margin φ = log(p_y / (1 − p_y)) = z_y − log Σ_{i≠y} exp z_i of every sample, [n], in nats
 * (Carlini et al. 2022; Georgiev et al. 2024). It is computed from the logits instead of p_y, and
 * is therefore finite for finite logits even if p_y rounds to 0 or 1. Infinite with a single class.
 */
export function margins({ values, labels, classes }: Logits): Float64Array {
  const all = rows(values, classes)
  return Float64Array.from(labels, (y, i) => margin(all[i] ?? new Float32Array(), y))
}

function margin(row: Float32Array, y: number): number {
  let greatest = -Infinity
  row.forEach((z, i) => {
    if (i !== y && !(z <= greatest)) greatest = z // keeps a NaN, which is reported later
  })
  let sum = 0
  row.forEach((z, i) => {
    if (i !== y) sum += Math.exp(z - greatest)
  })
  return (row[y] ?? NaN) - greatest - Math.log(sum)
}

/** log p_y = −log(1 + exp(−φ)), stable for any φ. */
export function logProbabilityOf(phi: number): number {
  return phi > 0 ? -Math.log1p(Math.exp(-phi)) : phi - Math.log1p(Math.exp(phi))
}
