/**
 * An orthonormal basis of what the forgotten classes' prototypes have outside the span of those of
 * the retained classes. It has no vector for a prototype that the span contains, up to rounding.
 */
export function specificDirections(
  forgotten: readonly Float64Array[],
  others: readonly Float64Array[],
): readonly Float64Array[] {
  const basis = orthonormal(others)
  return orthonormal(forgotten, basis).slice(basis.length)
}

/**
 * Prototypes are means of float32 numbers. A remainder that is smaller than this share of a vector
 * is rounding.
 */
const ROUNDING = 1e-5

/** Extends an orthonormal basis to the span of more vectors (Gram–Schmidt, twice for precision). */
function orthonormal(
  vectors: readonly Float64Array[],
  start: readonly Float64Array[] = [],
): readonly Float64Array[] {
  const basis = [...start]
  for (const vector of vectors) {
    const rest = vector.slice()
    for (const unit of [...basis, ...basis]) {
      const along = dot(unit, rest)
      unit.forEach((value, i) => (rest[i] = (rest[i] ?? 0) - along * value))
    }
    const length = Math.sqrt(dot(rest, rest))
    if (length > ROUNDING * Math.sqrt(dot(vector, vector))) basis.push(rest.map((value) => value / length))
  }
  return basis
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/**
 * Computes W ← (I − share · Q Qᵀ) W in place, for each matrix W [in, out] of a layer's weights. A
 * linear layer has one, and a convolution has one for each place of its kernel. The directions are
 * the columns of Q.
 */
export function removeDirections(
  weights: Float32Array,
  size: { readonly in: number; readonly out: number },
  { directions, share }: { readonly directions: readonly Float64Array[]; readonly share: number },
): void {
  const { out } = size
  for (let from = 0; from < weights.length; from += size.in * out) {
    const matrix = weights.subarray(from, from + size.in * out)
    // The directions are orthonormal, so one after the other gives the same as all at once.
    for (const direction of directions) {
      const along = new Float64Array(out)
      matrix.forEach(
        (w, i) => (along[i % out] = (along[i % out] ?? 0) + w * (direction[Math.floor(i / out)] ?? 0)),
      )
      matrix.forEach((w, i) => {
        matrix[i] = w - share * (direction[Math.floor(i / out)] ?? 0) * (along[i % out] ?? 0)
      })
    }
  }
}
