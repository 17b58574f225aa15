import type { Architecture, CheckpointFacts } from './pretrained.ts'
import { character, literal, matcher, repeat, sequence } from '../../common/linear-pattern.ts'
import { resnetLayers } from './resnet.ts'
import type { ModelSpec } from '../spec/spec.ts'
import { vitLayers } from './vit.ts'

/**
 * Models as plain data: a list of named layers, computed from the spec alone, so that a config can be checked
 * (layer patterns, ranks) before anything runs. `learning/model/forward.ts` turns the list into tensors.
 * Images are NHWC: [batch, height, width, channels].
 */

export type Shape = readonly [height: number, width: number, channels: number]

/** Over the last axis: [n, in], or [n, tokens, in]. */
export interface LinearLayer {
  readonly kind: 'linear'
  readonly name: string
  readonly in: number
  readonly out: number
  /** True unless given. */
  readonly bias?: boolean
}

export type Layer =
  | LinearLayer
  | {
      /** Without a bias where a batch norm follows. */
      readonly kind: 'conv'
      readonly name: string
      readonly in: number
      readonly out: number
      readonly kernel: number
      readonly stride: number
      /** Zeros on every side, as PyTorch counts them; TensorFlow's 'same' unless given. */
      readonly padding?: number
      readonly bias: boolean
    }
  | { readonly kind: 'batch-norm'; readonly name: string; readonly channels: number }
  | { readonly kind: 'relu'; readonly name: string }
  | {
      /** Windows side by side with 'same' padding, unless stride and padding are given. */
      readonly kind: 'max-pool'
      readonly name: string
      readonly size: number
      readonly stride?: number
      readonly padding?: number
    }
  | { readonly kind: 'global-average-pool'; readonly name: string }
  | { readonly kind: 'flatten'; readonly name: string }
  | {
      /** body(x) + shortcut(x); an empty shortcut is the identity. */
      readonly kind: 'residual'
      readonly name: string
      readonly body: readonly Layer[]
      readonly shortcut: readonly Layer[]
    }
  | {
      /** Over the last axis. */
      readonly kind: 'layer-norm'
      readonly name: string
      readonly channels: number
      readonly epsilon: number
    }
  | {
      /** x·Φ(x) (Hendrycks & Gimpel 2016), or its approximation by tanh. */
      readonly kind: 'gelu'
      readonly name: string
      readonly tanh: boolean
    }
  | {
      /** Patches [n, h, w, c] as tokens [n, t, c] behind a class token (and DeiT's distillation token), each with its position's embedding. */
      readonly kind: 'tokens'
      readonly name: string
      readonly channels: number
      readonly patches: number
      readonly distillation: boolean
    }
  | {
      /** softmax(q·kᵀ/√d)·v of each head, over tokens [n, t, c] (Vaswani et al. 2017). */
      readonly kind: 'attention'
      readonly name: string
      readonly heads: number
      readonly query: LinearLayer
      readonly key: LinearLayer
      readonly value: LinearLayer
    }
  | {
      /** The first tokens side by side: [n, count·c]. */
      readonly kind: 'first-tokens'
      readonly name: string
      readonly count: number
    }

export type ConvLayer = Extract<Layer, { kind: 'conv' }>
export type AdaptableLayer = LinearLayer | ConvLayer

/** The layers of a model, in forward order. */
export function layersOf(
  model: ModelSpec,
  [height, width, channels]: Shape,
  classes: number,
): readonly Layer[] {
  switch (model.name) {
    case 'mlp': {
      const sizes = [height * width * channels, ...model.hidden]
      return [
        { kind: 'flatten', name: 'flatten' },
        ...model.hidden.flatMap((out, i): Layer[] => [
          { kind: 'linear', name: `linear${i + 1}`, in: sizes[i] ?? 0, out },
          { kind: 'relu', name: `relu${i + 1}` },
        ]),
        { kind: 'linear', name: 'head', in: sizes.at(-1) ?? 0, out: classes },
      ]
    }
    case 'cnn': {
      const [first, second] = model.channels
      const pooled = Math.ceil(Math.ceil(height / 2) / 2) * Math.ceil(Math.ceil(width / 2) / 2)
      return [
        { kind: 'conv', name: 'conv1', in: channels, out: first, kernel: 3, stride: 1, bias: true },
        { kind: 'relu', name: 'relu1' },
        { kind: 'max-pool', name: 'pool1', size: 2 },
        { kind: 'conv', name: 'conv2', in: first, out: second, kernel: 3, stride: 1, bias: true },
        { kind: 'relu', name: 'relu2' },
        { kind: 'max-pool', name: 'pool2', size: 2 },
        { kind: 'flatten', name: 'flatten' },
        { kind: 'linear', name: 'linear1', in: pooled * second, out: model.hidden },
        { kind: 'relu', name: 'relu3' },
        { kind: 'linear', name: 'head', in: model.hidden, out: classes },
      ]
    }
    case 'pretrained': {
      return architectureLayers(checkpointOf(model).architecture, classes)
    }
    case 'resnet-cifar': {
      const { widths, blocks } = residualStages(model)
      const layers: Layer[] = [
        ...convNorm('stem', channels, widths[0] ?? 0, 3, 1),
        { kind: 'relu', name: 'stem.relu' },
      ]
      let current = widths[0] ?? 0
      widths.forEach((out, stage) => {
        for (let block = 0; block < blocks; block++) {
          const name = `stage${stage + 1}.${block}`
          const stride = stage > 0 && block === 0 ? 2 : 1
          layers.push(
            {
              kind: 'residual',
              name: `${name}.sum`,
              body: [
                ...convNorm(`${name}.conv1`, current, out, 3, stride),
                { kind: 'relu', name: `${name}.relu1` },
                ...convNorm(`${name}.conv2`, out, out, 3, 1),
              ],
              shortcut:
                stride === 1 && current === out ? [] : convNorm(`${name}.shortcut`, current, out, 1, stride),
            },
            { kind: 'relu', name: `${name}.relu2` },
          )
          current = out
        }
      })
      return [
        ...layers,
        { kind: 'global-average-pool', name: 'pool' },
        { kind: 'linear', name: 'head', in: current, out: classes },
      ]
    }
  }
}

export function architectureLayers(architecture: Architecture, classes: number): readonly Layer[] {
  return architecture.kind === 'vit' ? vitLayers(architecture, classes) : resnetLayers(architecture, classes)
}

/** What the checkpoint's files say. Every spec that is ready to run has it. */
export function checkpointOf({
  checkpoint,
  from,
}: Extract<ModelSpec, { name: 'pretrained' }>): CheckpointFacts {
  if (!checkpoint) throw new Error(`the checkpoint of ${from ?? 'the model'} has not been read`)
  return checkpoint
}

/** Widths and blocks per stage: He et al. 2016, section 4.2 (depth 6n + 2), and the usual 3×3-stem ResNet-18. */
function residualStages({ depth, width }: Extract<ModelSpec, { name: 'resnet-cifar' }>): {
  widths: readonly number[]
  blocks: number
} {
  const first = width ?? (depth === 'resnet18' ? 64 : 16)
  if (depth === 'resnet18') return { widths: [first, 2 * first, 4 * first, 8 * first], blocks: 2 }
  return { widths: [first, 2 * first, 4 * first], blocks: Math.floor((depth - 2) / 6) }
}

function convNorm(name: string, from: number, to: number, kernel: number, stride: number): Layer[] {
  return [
    { kind: 'conv', name, in: from, out: to, kernel, stride, bias: false },
    { kind: 'batch-norm', name: `${name}.norm`, channels: to },
  ]
}

/** Every layer in forward order, those inside others included: of a residual block body, shortcut and sum. */
export function flattenLayers(layers: readonly Layer[]): readonly Layer[] {
  return layers.flatMap((layer) => {
    if (layer.kind === 'residual')
      return [...flattenLayers(layer.body), ...flattenLayers(layer.shortcut), layer]
    return layer.kind === 'attention' ? [layer.query, layer.key, layer.value, layer] : [layer]
  })
}

/** The layers that LoRA can wrap. */
export function adaptableLayers(layers: readonly Layer[]): readonly AdaptableLayer[] {
  return flattenLayers(layers).filter((layer) => layer.kind === 'linear' || layer.kind === 'conv')
}

/** The layer that classifies: the last one. */
export function headOf(layers: readonly Layer[]): LinearLayer {
  const head = layers.at(-1)
  if (head?.kind !== 'linear') throw new Error('the last layer of a classifier is linear')
  return head
}

/** The largest rank at which an update of this layer is still low-rank: the smaller side of its weight matrix. */
export function maxRank(layer: AdaptableLayer): number {
  return Math.min(weightRows(layer), layer.out)
}

/** Rows of a layer's weight matrix; a convolution's kernel [k, k, in, out] is the matrix [k·k·in, out]. */
export function weightRows(layer: AdaptableLayer): number {
  return layer.kind === 'linear' ? layer.in : layer.kernel * layer.kernel * layer.in
}

const anything = repeat(character(() => true))

/** Whether a layer's name matches one of the patterns, in which `*` stands for any characters. */
export function matchesAny(patterns: readonly string[]): (layer: Pick<Layer, 'name'>) => boolean {
  const matchers = patterns.map((pattern) => {
    // Several `*` in a row mean the same as one.
    const [first = '', ...others] = pattern.split(/\*+/)
    return matcher(sequence([literal(first), ...others.flatMap((part) => [anything, literal(part)])]))
  })
  return ({ name }) => matchers.some((matches) => matches(name))
}
