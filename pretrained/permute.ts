/**
 * Permutes the axes of a row-major array with up to four axes. Axis i of the result is `axes[i]` of
 * the array.
 */
export function permuted(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
  // Leading axes of size 1 extend the array to four axes.
  const fill = new Array<number>(4 - shape.length)
  const [n0 = 1, n1 = 1, n2 = 1, n3 = 1] = [...fill.fill(1), ...axes.map((axis) => shape[axis] ?? 1)]
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = [...fill.fill(0), ...axes.map((axis) => strides[axis] ?? 0)]
  const result = new Float32Array(values.length)
  let to = 0
  for (let a = 0; a < n0; a++)
    for (let b = 0; b < n1; b++)
      for (let c = 0; c < n2; c++)
        for (let d = 0; d < n3; d++) result[to++] = values[a * s0 + b * s1 + c * s2 + d * s3] ?? NaN
  return result
}

/** The inverse of a permutation of axes. */
export function inverse(axes: readonly number[]): readonly number[] {
  return axes.map((_, i) => axes.indexOf(i))
}
