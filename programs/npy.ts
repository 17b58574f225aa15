/**
 * Arrays in the .npy format of NumPy, versions 1 and 2: little endian, in C order.
 */

export type NpyArray =
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly values: BigInt64Array }
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'float64'; readonly shape: readonly number[]; readonly values: Float64Array }
export type NpyType = NpyArray['dtype']

/** The bytes that precede the values of an array in its file. */
export function npyHeader(dtype: NpyType, shape: readonly number[]): Uint8Array {
  throw new Error(`not written yet: ${dtype} ${shape.join()}`)
}

/** The file of a vector of whole numbers within ±2³¹, as int64. */
export function integersNpy(values: Int32Array): Uint8Array {
  throw new Error(`not written yet: ${values.length}`)
}

/** Decodes a file. Throws an Error that says what was found and what was expected. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  throw new Error(`not written yet: ${bytes.length}`)
}
