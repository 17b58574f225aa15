/** A decomposition of a row-major matrix [size, columns]. `columns` is `size` unless given. */
export interface Decomposition {
  readonly operation: 'solve' | 'eigenvectors' | 'nuclearNorm'
  readonly size: number
  readonly columns?: number
  readonly matrix: Float64Array
  /** The right side of `solve`, [size, k]. */
  readonly right?: Float64Array
}

/** Returns undefined for `solve` if the matrix is not positive definite. */
export function decompose(work: Decomposition): Float64Array | undefined
