import { oneDnn } from '../tensorflow/node-compat.ts'
import type { OpAttribute } from './binding.ts'

/**
 * The operations that a function of tensors requested from TensorFlow, in order. They form a graph.
 */
export interface Trace {
  readonly events: readonly Event[]
  readonly values: readonly Value[]
}

/** Numbers are indices of `values`, which are numbered in the order of their first appearance. */
export type Event =
  | { readonly kind: 'create'; readonly value: number }
  | {
      readonly kind: 'op'
      readonly name: string
      readonly attributes: readonly OpAttribute[]
      readonly inputs: readonly number[]
      readonly outputs: readonly number[]
    }

export type Op = Extract<Event, { kind: 'op' }>

export interface Value {
  /** external: existed before; created: made from JavaScript numbers; output: of an operation. */
  readonly kind: 'external' | 'created' | 'output'
  readonly shape: readonly number[]
  readonly dtype: number
  /** The numbers of a created value that may be structural. */
  readonly data?: Int32Array | undefined
}

/** Created values with more numbers than this are never structural. */
export const MOST_STRUCTURAL_NUMBERS = 64

/**
 * The inputs of operations that are structural, such as shapes and axes. They become constants of
 * the graph, so that TensorFlow knows all shapes. Negative positions count from the end.
 */
const structuralInputs: Readonly<Record<string, readonly number[]>> = {
  All: [1],
  Any: [1],
  ArgMax: [1],
  ArgMin: [1],
  BroadcastTo: [1],
  Concat: [0],
  ConcatV2: [-1],
  Conv2DBackpropFilter: [1],
  Conv2DBackpropInput: [0],
  CropAndResize: [3],
  Cumsum: [1],
  ExpandDims: [1],
  Fill: [0],
  GatherV2: [2],
  Max: [1],
  Mean: [1],
  Min: [1],
  MirrorPad: [1],
  OneHot: [1],
  Pad: [1],
  PadV2: [1],
  Prod: [1],
  Range: [0, 1, 2],
  Reshape: [1],
  ResizeBilinear: [1],
  ReverseV2: [1],
  Slice: [1, 2],
  Split: [0],
  SplitV: [1, 2],
  StridedSlice: [1, 2, 3],
  Sum: [1],
  Tile: [1],
  TopKV2: [1],
  Transpose: [1],
  UnsortedSegmentSum: [2],
}

/**
 * With oneDNN, TensorFlow uses a different kernel for these operations in a graph than for the
 * single operation, and results differ in the last bits. A function with one of them is not
 * compiled.
 */
const unlikeAlone: ReadonlySet<string> = new Set(['Softmax'])

export function isCompilable({ events }: Pick<Trace, 'events'>): boolean {
  return !oneDnn || !events.some((event) => event.kind === 'op' && unlikeAlone.has(event.name))
}

/**
 * Indices of the created values that are structural. They are compared at every step and are
 * constants of the graph.
 */
export function structuralValues({ events, values }: Trace): ReadonlySet<number> {
  const found = events.flatMap((event) => {
    if (event.kind !== 'op') return []
    const positions = structuralInputs[event.name] ?? []
    return positions.flatMap((position) => event.inputs.at(position) ?? [])
  })
  return new Set(found.filter((value) => values[value]?.data !== undefined))
}

export function sameNumbers(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function sameAttributes(a: readonly OpAttribute[], b: readonly OpAttribute[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(({ name, type, value }, i) => {
        const other = b[i]
        return other?.name === name && other.type === type && sameAttribute(value, other.value)
      }))
  )
}

function sameAttribute(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && sameNumbers(a, b))
}
