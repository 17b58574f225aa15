import type { Gateway, Interceptor, OpAttribute, TensorMetadata } from './binding.ts'
import { encodeGraph, type EncodedGraph } from './saved-model.ts'
import type { Session, Sessions } from './sessions.ts'
import {
  isCompilable,
  MOST_STRUCTURAL_NUMBERS,
  sameAttributes,
  sameNumbers,
  structuralValues,
  type Event,
  type Trace,
  type Value,
} from './trace.ts'

/** A trace that TensorFlow has loaded as a graph. */
export interface CompiledTrace extends Trace {
  readonly structural: ReadonlySet<number>
  readonly graph: EncodedGraph
  readonly session: Session
}

/**
 * One call of a compiled function. While the function runs, its calls to TensorFlow are compared
 * with the traces of earlier calls, and nothing is computed. At the end, the graph of the trace
 * that agrees with all calls computes the tensors that are still needed. If no trace agrees, the
 * call is executed operation by operation from its beginning, which gives the shapes of a new
 * trace. Its graph then runs in the same way.
 */
export class Step implements Interceptor {
  private readonly gateway: Gateway
  /** The traces that agree so far. When there are none, a new trace is recorded. */
  private candidates: readonly CompiledTrace[]
  readonly events: Event[] = []
  private readonly values: Value[] = []
  /** The index of the value with this id. */
  private readonly indexOf = new Map<number, number>()
  /** The id of each value. */
  private readonly ids: number[] = []
  /**
   * The addon's ids of values that exist before the graph runs, and of all values while a trace is
   * recorded.
   */
  private readonly real = new Map<number, number>()
  /** Values of this call that were not deleted. */
  private readonly live = new Set<number>()
  /** Ids to delete after the graph has run. */
  private readonly deleted: number[] = []
  private described = new Map<number, Pick<Value, 'shape' | 'dtype'>>()

  constructor(gateway: Gateway, traces: readonly CompiledTrace[]) {
    this.gateway = gateway
    this.candidates = traces
  }

  private get isRecording(): boolean {
    return this.candidates.length === 0
  }

  describe(id: number, shape: readonly number[], dtype: number): void {
    if (!this.indexOf.has(id)) this.described.set(id, { shape, dtype })
  }

  create(shape: readonly number[], dtype: number, values: unknown): number {
    const { native } = this.gateway
    const data =
      dtype === native.TF_INT32 && values instanceof Int32Array && values.length <= MOST_STRUCTURAL_NUMBERS
        ? values.slice()
        : undefined
    const value = this.values.length
    this.keepAgreeing(({ events, values: known, structural }) => {
      const event = events[this.events.length]
      const old = known[value]
      if (event?.kind !== 'create' || event.value !== value || !old) return false
      if (old.dtype !== dtype || !sameNumbers(old.shape, shape)) return false
      return (
        !structural.has(value) ||
        (data !== undefined && old.data !== undefined && sameNumbers(data, old.data))
      )
    })
    this.events.push({ kind: 'create', value })
    const id = this.add({ kind: 'created', shape: [...shape], dtype, data }, this.gateway.newId())
    this.live.add(value)
    const isFed = this.isRecording || this.candidates.some(({ structural }) => !structural.has(value))
    if (isFed) this.real.set(value, native.createTensor(shape, dtype, values))
    return id
  }

  execute(
    name: string,
    attributes: readonly OpAttribute[],
    inputIds: readonly number[],
    count: number,
  ): TensorMetadata[] {
    const inputs = inputIds.map((id) => this.indexOf.get(id) ?? this.addExternal(id))
    const first = this.values.length
    this.keepAgreeing(({ events, values }) => {
      const event = events[this.events.length]
      return (
        event?.kind === 'op' &&
        event.name === name &&
        event.outputs.length === count &&
        sameNumbers(event.inputs, inputs) &&
        sameAttributes(event.attributes, attributes) &&
        inputs.every((input) => this.isAsIn(values, input))
      )
    })
    const outputs = Array.from({ length: count }, (_, i) => first + i)
    const [known] = this.candidates
    const metadata = known
      ? outputs.map((output) => known.values[output] as Value)
      : this.gateway.native.executeOp(name, attributes, inputs.map(this.realOf), count)
    this.events.push({ kind: 'op', name, attributes, inputs, outputs })
    return metadata.map((one, i) => {
      const { shape, dtype } = one
      if ('id' in one) this.real.set(first + i, one.id)
      const id = this.add({ kind: 'output', shape: [...shape], dtype }, this.gateway.newId())
      this.live.add(first + i)
      return { id, shape: [...shape], dtype }
    })
  }

  delete(id: number): void {
    const value = this.indexOf.get(id)
    if (value === undefined) this.gateway.delete(id)
    else if (this.live.delete(value)) this.forget(value)
    else this.deleted.push(id)
  }

  read(id: number): ArrayBufferView {
    const value = this.indexOf.get(id)
    if (value === undefined) return this.gateway.native.tensorDataSync(this.gateway.resolve(id))
    const { kind, data } = this.values[value] as Value
    if (kind === 'created' && data) return data
    if (kind === 'output')
      throw new Error(
        'a compiled function reads the numbers of a tensor that it computes; expected it to read none',
      )
    return this.gateway.native.tensorDataSync(this.realOf(value))
  }

  /**
   * Computes the tensors that the function left. Returns the trace, or undefined if it cannot be
   * compiled.
   */
  finish(sessions: Sessions): CompiledTrace | undefined {
    const needed = [...this.live].filter((value) => this.values[value]?.kind === 'output')
    const found = this.candidates.find(({ events }) => events.length === this.events.length)
    if (!found) this.record()
    const trace = found ?? (isCompilable(this) ? this.compile(sessions) : undefined)
    try {
      if (trace && needed.length > 0) this.compute(trace, needed)
    } catch (error) {
      if (trace && !found) sessions.release(trace.session)
      throw error
    }
    for (const value of this.live) this.gateway.bind(this.ids[value] as number, this.realOf(value))
    this.live.clear()
    this.end()
    return trace
  }

  /**
   * Frees what the step holds. After an error, the owners of the function's tensors delete them
   * later.
   */
  end(): void {
    for (const value of this.live) this.forget(value)
    for (const id of this.deleted) this.gateway.delete(id)
    for (const id of this.forgotten) this.gateway.native.deleteTensor(id)
  }

  private readonly forgotten: number[] = []

  /** Marks a value of this call as needed by the graph alone. */
  private forget(value: number): void {
    const real = this.real.get(value)
    if (real === undefined) return
    if (this.values[value]?.kind === 'created') this.forgotten.push(real)
    else {
      this.gateway.native.deleteTensor(real)
      this.real.delete(value)
    }
  }

  /** Runs the graph to compute these values. */
  private compute({ session, graph: { feeds, names } }: CompiledTrace, needed: readonly number[]): void {
    const { native } = this.gateway
    const list = (values: readonly number[]) => values.map((value) => names[value] ?? '').join()
    const computed = native.runSavedModel(session.id, feeds.map(this.realOf), list(feeds), list(needed))
    needed.forEach((value, i) => {
      const alone = this.real.get(value)
      if (alone !== undefined) native.deleteTensor(alone)
      this.gateway.bind(this.ids[value] as number, (computed[i] as TensorMetadata).id)
      this.live.delete(value)
    })
  }

  private compile(sessions: Sessions): CompiledTrace {
    const trace = { events: this.events, values: this.values }
    const structural = structuralValues(trace)
    const graph = encodeGraph(trace, structural, this.gateway.native)
    return { ...trace, structural, graph, session: sessions.acquire(graph.bytes) }
  }

  /** Keeps the traces that agree with the current call. If none does, a new trace is recorded. */
  private keepAgreeing(agrees: (trace: CompiledTrace) => boolean): void {
    if (this.isRecording) return
    const left = this.candidates.filter(agrees)
    if (left.length > 0) this.candidates = left
    else this.record()
  }

  /** Executes the operations so far one by one, and from now on every further operation. */
  private record(): void {
    if (this.isRecording) return
    const { native } = this.gateway
    this.candidates = []
    for (const event of this.events) {
      if (event.kind === 'create') {
        this.realOf(event.value)
        continue
      }
      const { name, attributes, inputs, outputs } = event
      const computed = native.executeOp(name, attributes, inputs.map(this.realOf), outputs.length)
      outputs.forEach((value, i) => this.real.set(value, (computed[i] as TensorMetadata).id))
    }
    for (const event of this.events)
      if (event.kind === 'op')
        for (const value of event.outputs) if (!this.live.has(value)) this.forget(value)
  }

  /**
   * The addon's id of a value. A constant of the graph is created from its numbers when it is first
   * needed.
   */
  private readonly realOf = (value: number): number => {
    const found = this.real.get(value)
    if (found !== undefined) return found
    const { kind, shape, dtype, data } = this.values[value] as Value
    if (kind !== 'created' || !data) throw new Error(`the value ${value} of a graph is not there`)
    const real = this.gateway.native.createTensor(shape, dtype, data)
    this.real.set(value, real)
    if (!this.live.has(value)) this.forgotten.push(real)
    return real
  }

  private add(value: Value, id: number): number {
    this.indexOf.set(id, this.values.length)
    this.ids.push(id)
    this.values.push(value)
    return id
  }

  private addExternal(id: number): number {
    const known = this.described.get(id)
    if (!known) throw new Error('a tensor of unknown shape is used in a compiled function')
    const value = this.values.length
    this.real.set(value, this.gateway.resolve(id))
    this.add({ kind: 'external', shape: [...known.shape], dtype: known.dtype }, id)
    return value
  }

  /** Whether a value has the same kind, shape and type in a trace as in this call. */
  private isAsIn(values: readonly Value[], index: number): boolean {
    const own = this.values[index]
    const other = values[index]
    return (
      own !== undefined &&
      own.kind === other?.kind &&
      (own.kind === 'output' || (own.dtype === other.dtype && sameNumbers(own.shape, other.shape)))
    )
  }
}
