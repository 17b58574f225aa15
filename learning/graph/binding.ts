import { tf } from '../tensorflow/tf.ts'

/**
 * The part of tfjs-node's native addon that graphs need. Tensors, sessions and types are numbers.
 */
export interface Binding {
  createTensor: (shape: readonly number[], dtype: number, values: unknown) => number
  deleteTensor: (id: number) => void
  tensorDataSync: (id: number) => ArrayBufferView
  executeOp: (
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ) => TensorMetadata[]
  loadSavedModel: (directory: string, tags: string) => number
  /** Feeds and fetches are names such as `node:0`, separated by commas. */
  runSavedModel: (
    session: number,
    inputs: readonly number[],
    feeds: string,
    fetches: string,
  ) => TensorMetadata[]
  deleteSavedModel: (session: number) => void
  getNumOfSavedModels: () => number
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_FLOAT: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_SHAPE: number
}

export interface TensorMetadata {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

export interface OpAttribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

/** The calls to the addon that a step intercepts. */
export interface Interceptor {
  create(shape: readonly number[], dtype: number, values: unknown): number
  execute(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[]
  delete(id: number): void
  read(id: number): ArrayBufferView
  /** Gives the shape and type of an input of the next operation. */
  describe(id: number, shape: readonly number[], dtype: number): void
}

/** An input of an operation. Only tensors have the three properties. */
interface Input {
  readonly dataId?: object
  readonly shape?: number[]
  readonly dtype?: string
}

interface Backend {
  binding: Binding
  readonly isUsingGpuDevice: boolean
  /** The addon's ids of tensors. Creates those that were made from JavaScript numbers. */
  getInputTensorIds: (tensors: readonly Input[]) => number[]
  /** Registers a tensor of JavaScript numbers. */
  write: (values: unknown, shape: number[], dtype: string) => object
  getDTypeInteger(dtype: string): number
}

/**
 * The first id of a tensor that a graph computes. The addon counts its own ids from 0 in 32 bits.
 */
const FIRST_VIRTUAL_ID = 2 ** 40

/**
 * Intercepts the calls of tfjs-node to its addon. While a compiled function runs, its tensors get
 * virtual ids, which they keep afterwards. `resolve` maps a virtual id to the addon's id.
 */
export class Gateway {
  readonly native: Binding
  private readonly resolved = new Map<number, number>()
  private next = FIRST_VIRTUAL_ID
  private active: Interceptor | undefined
  /** The data of tensors that were made from JavaScript numbers in compiled functions. */
  private readonly written = new WeakSet<object>()

  constructor() {
    const backend = tf.backend() as unknown as Backend
    const native = backend.binding
    this.native = native
    // The addon's properties are neither enumerable nor writable, so a copy of the addon is
    // changed.
    const names = Object.getOwnPropertyNames(native) as (keyof Binding)[]
    const copy = Object.fromEntries(names.map((name) => [name, native[name]])) as unknown as Binding
    const write = backend.write.bind(backend)
    backend.write = (values, shape, dtype) => {
      const data = write(values, shape, dtype)
      if (this.active) this.written.add(data)
      return data
    }
    const ids = backend.getInputTensorIds.bind(backend)
    backend.getInputTensorIds = (tensors) => {
      const { active } = this
      if (active) {
        // A tensor from outside is created outside, even if the function is the first to use it.
        // Otherwise the first call would differ from the second one.
        const outside = tensors.filter(({ dataId }) => dataId && !this.written.has(dataId))
        this.active = undefined
        try {
          ids(outside)
        } finally {
          this.active = active
        }
      }
      const found = ids(tensors)
      if (active)
        found.forEach((id, i) => {
          const { shape, dtype } = tensors[i] ?? {}
          if (shape && dtype !== undefined) active.describe(id, shape, backend.getDTypeInteger(dtype))
        })
      return found
    }
    backend.binding = {
      ...copy,
      createTensor: (shape, dtype, values) =>
        this.active ? this.active.create(shape, dtype, values) : native.createTensor(shape, dtype, values),
      executeOp: (name, attributes, inputs, outputs) =>
        this.active
          ? this.active.execute(name, attributes, inputs, outputs)
          : native.executeOp(name, attributes, inputs.map(this.resolve), outputs),
      deleteTensor: (id) => {
        if (this.active) this.active.delete(id)
        else this.delete(id)
      },
      tensorDataSync: (id) => (this.active ? this.active.read(id) : native.tensorDataSync(this.resolve(id))),
      runSavedModel: (session, inputs, feeds, fetches) =>
        native.runSavedModel(session, inputs.map(this.resolve), feeds, fetches),
    }
  }

  get isActive(): boolean {
    return this.active !== undefined
  }

  /** Runs a function whose calls to the addon go to the interceptor. */
  during<T>(interceptor: Interceptor, f: () => T): T {
    this.active = interceptor
    try {
      return f()
    } finally {
      this.active = undefined
    }
  }

  newId(): number {
    return this.next++
  }

  isVirtual(id: number): boolean {
    return id >= FIRST_VIRTUAL_ID
  }

  /** The addon's id of a tensor. Throws an Error for a tensor that its graph did not compute. */
  readonly resolve = (id: number): number => {
    if (id < FIRST_VIRTUAL_ID) return id
    const real = this.resolved.get(id)
    if (real === undefined) throw new Error('a tensor is used that its graph did not compute')
    return real
  }

  /** Maps a virtual id to a tensor of the addon. */
  bind(id: number, real: number): void {
    this.resolved.set(id, real)
  }

  /** Deletes a tensor of the addon. A virtual id that was never bound has none. */
  delete(id: number): void {
    const real = this.isVirtual(id) ? this.resolved.get(id) : id
    this.resolved.delete(id)
    if (real !== undefined) this.native.deleteTensor(real)
  }
}

let gateway: Gateway | undefined

/**
 * The gateway of this process; undefined on a GPU, where each run of a graph would copy its inputs.
 */
export function openGateway(): Gateway | undefined {
  if ((tf.backend() as unknown as Backend).isUsingGpuDevice) return undefined
  return (gateway ??= new Gateway())
}
