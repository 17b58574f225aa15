import { character, literal, matcher, repeat, sequence } from '../../common/linear-pattern.ts'

/** Layers as plain data. Images are NHWC: [batch, height, width, channels]. */

export type Shape = readonly [height: number, width: number, channels: number]

/** A linear layer over the last axis of [n, in] or [n, tokens, in]. */
export interface LinearLayer {
  readonly kind: 'linear'
  readonly name: string
  readonly in: number
  readonly out: number
  /** True unless given. */
  readonly bias?: boolean
  /**
   * The distribution of new weights: uniform within ±1/√in, PyTorch's default. Normal with variance
   * 2 / in unless given.
   */
  readonly initial?: 'uniform'
  /** Multiplies new weights. 1 unless given. */
  readonly initialScale?: number
}

export type Layer =
  | LinearLayer
  | {
      /** A convolution. It has no bias if a batch norm follows. */
      readonly kind: 'conv'
      readonly name: string
      readonly in: number
      readonly out: number
      readonly kernel: number
      readonly stride: number
      /**
       * The number of zeros on every side, as in PyTorch. TensorFlow's 'same' padding unless given.
       */
      readonly padding?: number
      readonly bias: boolean
      /**
       * The distribution of new weights. identity: the filter i < in copies input channel i at the
       * centre of the kernel, and further filters are uniform within ±1/√fan-in, PyTorch's default.
       * Normal with variance 2 / fan-in unless given.
       */
      readonly initial?: 'identity'
      /**
       * True if the weights are computed from training images before the training and are frozen,
       * such that the outputs for these images are uncorrelated (learning/model/whitening.ts). They
       * are no trained parameters: optimizers, adapters and unlearning methods do not change them.
       */
      readonly whitening?: boolean
    }
  | {
      /**
       * A batch norm over the last axis (Ioffe & Szegedy 2015). Its statistics are those of all
       * other axes: the images and their positions, or the rows after a linear layer.
       */
      readonly kind: 'batch-norm'
      readonly name: string
      readonly channels: number
      /** False if the scale γ is fixed at 1. It is trained unless given. */
      readonly scale?: boolean
      /** The share of the running statistics that a step keeps. 0.9 unless given. */
      readonly momentum?: number
      /** Is added to the variance. 1e-5 unless given. */
      readonly epsilon?: number
    }
  | { readonly kind: 'relu'; readonly name: string }
  | {
      /** Adjacent windows with 'same' padding, unless stride and padding are given. */
      readonly kind: 'max-pool'
      readonly name: string
      readonly size: number
      readonly stride?: number
      readonly padding?: number
    }
  | { readonly kind: 'global-average-pool'; readonly name: string }
  | { readonly kind: 'flatten'; readonly name: string }
  | {
      /** body(x) + shortcut(x). An empty shortcut is the identity. */
      readonly kind: 'residual'
      readonly name: string
      readonly body: readonly Layer[]
      readonly shortcut: readonly Layer[]
    }
  | {
      /** A layer norm over the last axis. */
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
      /**
       * Turns patches [n, h, w, c] into tokens [n, t, c], puts a class token (and DeiT's
       * distillation token) before them, and adds the embedding of each position.
       */
      readonly kind: 'tokens'
      readonly name: string
      readonly channels: number
      readonly patches: number
      readonly distillation: boolean
    }
  | {
      /** softmax(q·kᵀ/√d)·v for each head, over tokens [n, t, c] (Vaswani et al. 2017). */
      readonly kind: 'attention'
      readonly name: string
      readonly heads: number
      readonly query: LinearLayer
      readonly key: LinearLayer
      readonly value: LinearLayer
    }
  | {
      /** Concatenates the first tokens: [n, count·c]. */
      readonly kind: 'first-tokens'
      readonly name: string
      readonly count: number
    }

export type ConvLayer = Extract<Layer, { kind: 'conv' }>
export type AdaptableLayer = LinearLayer | ConvLayer

/**
 * Every layer in forward order, including the layers inside others. A residual block gives the
 * layers of its body and of its shortcut, then itself; attention gives its three projections, then
 * itself.
 */
export function flattenLayers(layers: readonly Layer[]): readonly Layer[] {
  return layers.flatMap((layer) => {
    if (layer.kind === 'residual')
      return [...flattenLayers(layer.body), ...flattenLayers(layer.shortcut), layer]
    return layer.kind === 'attention' ? [layer.query, layer.key, layer.value, layer] : [layer]
  })
}

/** The index of the top-level layer that is or contains the layer with this name. */
export function topLevelIndex(layers: readonly Layer[], name: string): number {
  const index = layers.findIndex((layer) => flattenLayers([layer]).some((inner) => inner.name === name))
  if (index < 0) throw new Error(`the model has no layer "${name}"`)
  return index
}

/** The layers that LoRA can wrap: those with a trained weight matrix. */
export function adaptableLayers(layers: readonly Layer[]): readonly AdaptableLayer[] {
  return flattenLayers(layers)
    .filter((layer) => layer.kind === 'linear' || layer.kind === 'conv')
    .filter((layer) => layer.kind === 'linear' || layer.whitening !== true)
}

/** The last layer, which classifies. Throws if it is not linear. */
export function headOf(layers: readonly Layer[]): LinearLayer {
  const head = layers.at(-1)
  if (head?.kind !== 'linear') throw new Error('the last layer of a classifier is linear')
  return head
}

/**
 * The largest rank that an update of this layer can have: the smaller side of its weight matrix.
 */
export function maxRank(layer: AdaptableLayer): number {
  return Math.min(weightRows(layer), layer.out)
}

/**
 * The number of rows of a layer's weight matrix. A convolution's kernel [k, k, in, out] counts as
 * [k·k·in, out].
 */
export function weightRows(layer: AdaptableLayer): number {
  return layer.kind === 'linear' ? layer.in : layer.kernel * layer.kernel * layer.in
}

const anything = repeat(character(() => true))

/**
 * Makes a predicate: whether a layer's name matches one of the patterns. `*` matches any
 * characters.
 */
export function matchesAny(patterns: readonly string[]): (layer: Pick<Layer, 'name'>) => boolean {
  const matchers = patterns.map((pattern) => {
    // Consecutive `*` are equivalent to one.
    const [first = '', ...others] = pattern.split(/\*+/)
    return matcher(sequence([literal(first), ...others.flatMap((part) => [anything, literal(part)])]))
  })
  return ({ name }) => matchers.some((matches) => matches(name))
}

/** The names of layers in the text of an error: `conv1, conv2, head`. */
export function layerNames(layers: readonly Layer[]): string {
  return layers.map(({ name }) => name).join(', ')
}
