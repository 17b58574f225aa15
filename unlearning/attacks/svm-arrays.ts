import { svmKernels } from './svm-kernels.ts'

/** The number of variables whose greatest and least errors `SvmArrays` keeps. */
export const BLOCK = 32

const PAGE_BYTES = 65_536
const NUMBER_BYTES = 8
/** Kernel rows in memory: 8 MB for 4,000 variables. Few variables change more than once. */
const MOST_ROWS = 256

const module = new WebAssembly.Module(Buffer.from(svmKernels, 'base64'))

/**
 * The variables of a support-vector machine on numbers x with the kernel exp(−(x − x′)²), in the
 * memory of the loops in svm-kernels.wat. The length of x is a multiple of `BLOCK`. All values are
 * the same bits as with `Math.exp` and loops over all variables.
 */
export class SvmArrays {
  readonly x: Float64Array
  readonly error: Float64Array
  /** 0 if a variable is below its upper bound, −∞ otherwise. */
  readonly rise: Float64Array
  /** 0 if a variable is above its lower bound, ∞ otherwise. */
  readonly fall: Float64Array
  /** The greatest error + rise of each block. */
  readonly greatest: Float64Array
  /** The least error + fall of each block. */
  readonly least: Float64Array
  /** The kernel rows. `row` returns the position of the first value of a row. */
  readonly kernel: Float64Array

  readonly #kernelRow: (...values: readonly number[]) => void
  readonly #update: (...values: readonly number[]) => void
  readonly #mostRows: number
  /** The positions of rows in `kernel` by their variables, the least recently used one first. */
  readonly #rows = new Map<number, number>()

  constructor(x: Float64Array, error: Float64Array) {
    const n = x.length
    this.#mostRows = Math.min(n, MOST_ROWS)
    const numbers = 4 * n + (2 * n) / BLOCK + this.#mostRows * n
    const memory = new WebAssembly.Memory({ initial: Math.ceil((numbers * NUMBER_BYTES) / PAGE_BYTES) })
    const { kernelRow, update } = new WebAssembly.Instance(module, { svm: { memory } }).exports
    if (!kernelRow || !update) throw new Error('svm-kernels.ts has no kernelRow or no update')
    this.#kernelRow = kernelRow
    this.#update = update

    let used = 0
    const next = (length: number) => {
      used += length
      return new Float64Array(memory.buffer, (used - length) * NUMBER_BYTES, length)
    }
    this.x = next(n)
    this.error = next(n)
    this.rise = next(n)
    this.fall = next(n)
    this.greatest = next(n / BLOCK)
    this.least = next(n / BLOCK)
    this.kernel = next(this.#mostRows * n)
    this.x.set(x)
    this.error.set(error)
  }

  /** The position of the row K(x_i, x) in `kernel`. It is valid until the second call after it. */
  row(i: number): number {
    const known = this.#rows.get(i)
    const start = known ?? this.#freeRow()
    if (known === undefined) this.#kernelRow(this.x.byteLength, this.#byteOffset(start), this.x[i] ?? NaN)
    this.#rows.delete(i)
    this.#rows.set(i, start)
    return start
  }

  /** Subtracts step (K_i − K_j), given as positions of rows, and renews the extremes of blocks. */
  update(rowI: number, rowJ: number, step: number): void {
    this.#update(this.x.byteLength, this.#byteOffset(rowI), this.#byteOffset(rowJ), step)
  }

  #freeRow(): number {
    const [oldest] = this.#rows
    if (oldest === undefined || this.#rows.size < this.#mostRows) return this.#rows.size * this.x.length
    this.#rows.delete(oldest[0])
    return oldest[1]
  }

  #byteOffset(position: number): number {
    return this.kernel.byteOffset + position * NUMBER_BYTES
  }
}
