import { rows, type Logits } from '../metrics/logits.ts'

/**
 * φ = log(p_y / (1 − p_y)) of every sample, [n], in nats: the margin z_y − log Σ_{i≠y} exp z_i of the true class's logit
 * over the others' (Carlini et al. 2022; Georgiev et al. 2024). From the logits, not from p_y, so that it is
 * finite for finite logits, also where p_y rounds to 0 or 1. Infinite where there is one class only.
 */
export function margins({ values, labels, classes }: Logits): Float64Array {
  const all = rows(values, classes)
  return Float64Array.from(labels, (y, i) => margin(all[i] ?? new Float32Array(), y))
}

function margin(row: Float32Array, y: number): number {
  let greatest = -Infinity
  row.forEach((z, i) => {
    if (i !== y && !(z <= greatest)) greatest = z // a NaN stays to be seen
  })
  let sum = 0
  row.forEach((z, i) => {
    if (i !== y) sum += Math.exp(z - greatest)
  })
  return (row[y] ?? NaN) - greatest - Math.log(sum)
}

/** log p_y = −log(1 + exp(−φ)), of a φ of any size. */
export function logProbabilityOf(phi: number): number {
  return phi > 0 ? -Math.log1p(Math.exp(-phi)) : phi - Math.log1p(Math.exp(phi))
}
