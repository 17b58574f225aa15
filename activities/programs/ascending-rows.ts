/** A set of samples as programs get it: in ascending order, whatever the order in the store. */
export function ascendingRows(indices: Int32Array): Int32Array {
  return indices.slice().sort()
}
