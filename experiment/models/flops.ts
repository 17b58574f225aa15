import { flattenLayers, type Layer, type Shape } from './layers.ts'

/** The size of a layer's output without its channels. Tokens [t, c] have the size [t, 1]. */
export type Size = readonly [height: number, width: number]

/**
 * The floating-point operations of a forward pass of one image: 2 for each multiplication with its
 * addition, in linear layers, convolutions and attention. Other layers take few in comparison and
 * do not count.
 */
export function forwardFlops(layers: readonly Layer[], [height, width]: Shape): number {
  return through(layers, [height, width]).flops
}

/**
 * The operations of a training that sees a number of samples: a forward pass, and twice as many for
 * the gradients.
 */
export function trainingFlops(layers: readonly Layer[], shape: Shape, samples: number): number {
  return 3 * samples * forwardFlops(layers, shape)
}

function through(layers: readonly Layer[], start: Size): { readonly flops: number; readonly size: Size } {
  let [flops, size] = [0, start]
  for (const layer of layers) {
    const next = sizeAfter(layer, size)
    flops += flopsOf(layer, size, next)
    size = next
  }
  return { flops, size }
}

/** The operations of a layer for an input and an output of these sizes. */
function flopsOf(layer: Layer, from: Size, to: Size): number {
  const positions = to[0] * to[1]
  switch (layer.kind) {
    case 'linear':
      return 2 * layer.in * layer.out * positions
    case 'conv':
      return 2 * layer.kernel ** 2 * layer.in * layer.out * positions
    case 'residual':
      return through(layer.body, from).flops + through(layer.shortcut, from).flops
    case 'attention': {
      const projections = flattenLayers([layer]).filter(({ kind }) => kind === 'linear')
      // Products of queries and keys, and of probabilities and values.
      const products = 2 * 2 * positions ** 2 * layer.value.out
      return projections.reduce((sum, projection) => sum + flopsOf(projection, from, to), products)
    }
    default:
      return 0
  }
}

function sizeAfter(layer: Layer, size: Size): Size {
  switch (layer.kind) {
    case 'conv':
      return windows(size, layer.kernel, layer.stride, layer.padding)
    case 'max-pool':
      return windows(size, layer.size, layer.stride ?? layer.size, layer.padding)
    case 'residual':
      return through(layer.body, size).size
    case 'tokens':
      return [layer.patches + (layer.distillation ? 2 : 1), 1]
    case 'flatten':
    case 'global-average-pool':
    case 'first-tokens':
      return [1, 1]
    default:
      return size
  }
}

/** The number of windows along both sides. Padding is TensorFlow's 'same' unless given. */
export function windows(
  [height, width]: Size,
  size: number,
  stride: number,
  padding: number | undefined,
): Size {
  const along = (side: number) =>
    padding === undefined ? Math.ceil(side / stride) : Math.floor((side + 2 * padding - size) / stride) + 1
  return [along(height), along(width)]
}
