import protobuf from 'protobufjs'
import type { Binding, OpAttribute } from './binding.ts'
import type { Op, Trace } from './trace.ts'

/**
 * Encodes a trace as a TensorFlow SavedModel with one GraphDef and no variables. The messages and
 * their field numbers are those of tensorflow/core/protobuf/saved_model.proto and its imports.
 * Fields that are never written are omitted.
 */
const { root } = protobuf.parse(
  `syntax = "proto3";
  package tensorflow;
  message TensorShapeProto {
    message Dim { int64 size = 1; }
    repeated Dim dim = 2;
  }
  message TensorProto { int32 dtype = 1; TensorShapeProto tensor_shape = 2; bytes tensor_content = 4; }
  message AttrValue {
    message ListValue {
      repeated bytes s = 2;
      repeated int64 i = 3 [packed = true];
      repeated float f = 4 [packed = true];
      repeated bool b = 5 [packed = true];
      repeated int32 type = 6 [packed = true];
    }
    oneof value {
      ListValue list = 1;
      bytes s = 2;
      int64 i = 3;
      float f = 4;
      bool b = 5;
      int32 type = 6;
      TensorShapeProto shape = 7;
      TensorProto tensor = 8;
    }
  }
  message NodeDef { string name = 1; string op = 2; repeated string input = 3; map<string, AttrValue> attr = 5; }
  message VersionDef { int32 producer = 1; }
  message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; }
  message MetaGraphDef {
    message MetaInfoDef { repeated string tags = 4; }
    MetaInfoDef meta_info_def = 1;
    GraphDef graph_def = 2;
  }
  message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraphDef meta_graphs = 2; }`,
  { keepCase: true },
)
const SavedModel = root.lookupType('tensorflow.SavedModel')

export const TAG = 'step'

/** The GraphDef version of TensorFlow 2.17. Later versions can read it. */
const PRODUCER = 1882

export interface EncodedGraph {
  /** The file `saved_model.pb`. */
  readonly bytes: Uint8Array
  /** Indices of the values that are fed at each run. */
  readonly feeds: readonly number[]
  /** The name under which a value is fed or fetched, by its index. */
  readonly names: readonly string[]
}

interface NodeDef {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr: Readonly<Record<string, unknown>>
}

/** structural: indices of the values that become constants. */
export function encodeGraph(
  { events, values }: Trace,
  structural: ReadonlySet<number>,
  binding: Binding,
): EncodedGraph {
  const names: string[] = []
  const feeds: number[] = []
  const given = values.flatMap(({ kind, shape, dtype, data }, i): NodeDef[] => {
    if (kind === 'output') return []
    const name = `v${i}`
    names[i] = `${name}:0`
    if (data && structural.has(i))
      return [
        {
          name,
          op: 'Const',
          attr: { dtype: { type: dtype }, value: { tensor: tensor(shape, dtype, data) } },
        },
      ]
    feeds.push(i)
    return [
      { name, op: 'Placeholder', attr: { dtype: { type: dtype }, shape: { shape: dimensions(shape) } } },
    ]
  })
  const computed = events.flatMap((event, k): NodeDef[] => {
    if (event.kind !== 'op') return []
    const name = `n${k}`
    event.outputs.forEach((value, j) => (names[value] = `${name}:${j}`))
    const input = event.inputs.map((value) => names[value] ?? '')
    const attr = Object.fromEntries(event.attributes.map((one) => [one.name, attribute(one, binding)]))
    const node = { name, op: event.name, input, attr }
    return hasOverlappingWindows(event) ? maxPoolGradV2(node, event, binding) : [node]
  })
  const message = SavedModel.fromObject({
    saved_model_schema_version: 1,
    meta_graphs: [
      {
        meta_info_def: { tags: [TAG] },
        graph_def: { node: [...given, ...computed], versions: { producer: PRODUCER } },
      },
    ],
  })
  return { bytes: SavedModel.encode(message).finish(), feeds, names }
}

/**
 * Whether an operation is the gradient of a maximum pooling with overlapping windows. It adds
 * gradients where windows overlap.
 */
function hasOverlappingWindows({ name, attributes }: Op): boolean {
  if (name !== 'MaxPoolGrad') return false
  const strides = numbersOf(attributes, 'strides')
  return numbersOf(attributes, 'ksize').some((size, i) => size > (strides[i] ?? 0))
}

/**
 * With oneDNN, TensorFlow uses a different kernel for MaxPoolGrad in a graph than for the single
 * operation. It is several times as fast, and adds in another order where windows overlap.
 * MaxPoolGradV2 has one kernel, which is that of the single operation.
 */
function maxPoolGradV2(node: NodeDef, { attributes }: Op, { TF_INT32 }: Binding): NodeDef[] {
  const { ksize: _, strides: __, ...attr } = node.attr
  const sizes = ['ksize', 'strides'].map((name): NodeDef => {
    const sides = Int32Array.from(numbersOf(attributes, name))
    const value = { tensor: tensor([sides.length], TF_INT32, sides) }
    return { name: `${node.name}_${name}`, op: 'Const', attr: { dtype: { type: TF_INT32 }, value } }
  })
  const input = [...(node.input ?? []), ...sizes.map(({ name }) => name)]
  return [...sizes, { ...node, op: 'MaxPoolGradV2', input, attr }]
}

function numbersOf(attributes: Op['attributes'], name: string): readonly number[] {
  return attributes.find((one) => one.name === name)?.value as readonly number[]
}

function dimensions(shape: readonly number[]) {
  return { dim: shape.map((size) => ({ size })) }
}

function tensor(shape: readonly number[], dtype: number, { buffer, byteOffset, byteLength }: Int32Array) {
  const content = new Uint8Array(buffer, byteOffset, byteLength)
  return { dtype, tensor_shape: dimensions(shape), tensor_content: content }
}

function attribute({ name, type, value }: OpAttribute, binding: Binding): Readonly<Record<string, unknown>> {
  const list = Array.isArray(value)
  const bytes = (text: unknown) => Buffer.from(String(text))
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return list ? { list: { type: value } } : { type: value }
    case binding.TF_ATTR_INT:
      return list ? { list: { i: value } } : { i: value }
    case binding.TF_ATTR_FLOAT:
      return list ? { list: { f: value } } : { f: value }
    case binding.TF_ATTR_BOOL:
      return list ? { list: { b: value } } : { b: value }
    case binding.TF_ATTR_STRING:
      return list ? { list: { s: value.map(bytes) } } : { s: bytes(value) }
    case binding.TF_ATTR_SHAPE:
      return { shape: dimensions(value as readonly number[]) }
    default:
      throw new Error(`the attribute ${name} is of the unknown kind ${type}`)
  }
}
