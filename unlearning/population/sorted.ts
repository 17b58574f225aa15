/** The number of ascending values below `limit`. */
export function countBelow(ascending: Float64Array, limit: number): number {
  return leading(ascending, (value) => value < limit)
}

/** The number of ascending values that are at most `limit`. */
export function countAtMost(ascending: Float64Array, limit: number): number {
  return leading(ascending, (value) => value <= limit)
}

/** The number of leading values with a property that no later value has, by binary search. */
function leading(ascending: Float64Array, has: (value: number) => boolean): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (has(ascending[middle] ?? NaN)) low = middle + 1
    else high = middle
  }
  return low
}

/** The q-quantile of ascending values, 0 ≤ q ≤ 1, with linear interpolation (NumPy's default). */
export function quantile(ascending: Float64Array, q: number): number {
  const place = q * (ascending.length - 1)
  const below = ascending[Math.floor(place)] ?? NaN
  const above = ascending[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}
