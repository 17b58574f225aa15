import { windows, type Size } from './flops.ts'
import { flattenLayers, headOf, type Layer, type LinearLayer, type Shape } from './layers.ts'

/** Checks of lists of layers that plug-ins return. */

/** The output of a layer for one image: pixels, tokens or a vector, with channels. */
interface Output {
  readonly kind: 'image' | 'tokens' | 'vector'
  /** The height and width of an image. */
  readonly size: Size
  /** The channels of a pixel or a token, or the length of a vector. */
  readonly channels: number
}

/** A list of layers that computes nothing. `layer` is the name of the layer that does not fit. */
export class LayerError extends Error {
  override readonly name = 'LayerError'
}

/**
 * Checks that each layer takes what the layer before it gives, for images of this shape, and that
 * the last one gives a number for each class. Throws a LayerError.
 */
export function checkLayerList(
  layers: readonly Layer[],
  [height, width, channels]: Shape,
  classes: number,
): void {
  const names = flattenLayers(layers).map(({ name }) => name)
  const twin = names.find((name, i) => names.indexOf(name) < i)
  if (twin !== undefined) throw new LayerError(`two layers are called "${twin}"; give each a name of its own`)
  const last = layers.at(-1)
  if (last?.kind !== 'linear')
    throw new LayerError(
      `the last layer is ${last ? `${last.name} of the kind ${last.kind}` : 'missing'}; expected a linear one`,
    )
  through(layers, { kind: 'image', size: [height, width], channels })
  const { name, out } = headOf(layers)
  if (out !== classes)
    throw new LayerError(`the last layer, ${name}, has ${out} outputs, and the data has ${classes} classes`)
}

function through(layers: readonly Layer[], input: Output): Output {
  return layers.reduce((output, layer) => after(layer, output), input)
}

/** The output of a layer. Throws a LayerError if it does not take this input. */
function after(layer: Layer, input: Output): Output {
  const { kind, size, channels } = input
  const needs = (kinds: readonly Output['kind'][], count: number | undefined) => {
    const wanted = `${kinds.join(' or ')}${count === undefined ? '' : ` of ${count}`}`
    if (!kinds.includes(kind) || (count !== undefined && count !== channels))
      throw new LayerError(
        `${layer.name} (${layer.kind}) takes ${wanted}, and the layer before it gives ${kind} of ${channels}`,
      )
  }
  switch (layer.kind) {
    case 'linear':
      needs(['vector', 'tokens'], layer.in)
      return { ...input, channels: layer.out }
    case 'conv':
      needs(['image'], layer.in)
      return { ...input, size: windowed(layer, size, layer.kernel), channels: layer.out }
    case 'max-pool':
      needs(['image'], undefined)
      return { ...input, size: windowed({ stride: layer.size, ...layer }, size, layer.size) }
    case 'batch-norm':
      needs(['image', 'vector'], layer.channels)
      return input
    case 'layer-norm':
      needs(['image', 'tokens', 'vector'], layer.channels)
      return input
    case 'relu':
    case 'gelu':
      return input
    case 'global-average-pool':
      needs(['image'], undefined)
      return { kind: 'vector', size: [1, 1], channels }
    case 'flatten':
      needs(['image'], undefined)
      return { kind: 'vector', size: [1, 1], channels: size[0] * size[1] * channels }
    case 'residual': {
      const [body, shortcut] = [through(layer.body, input), through(layer.shortcut, input)]
      const described = ({ kind, size, channels }: Output) => `${kind} ${[...size, channels].join('×')}`
      if (described(body) !== described(shortcut))
        throw new LayerError(
          `${layer.name} (residual) adds ${described(shortcut)} of its shortcut to ${described(body)} of its body`,
        )
      return body
    }
    case 'tokens':
      needs(['image'], layer.channels)
      if (size[0] * size[1] !== layer.patches)
        throw new LayerError(
          `${layer.name} (tokens) takes ${layer.patches} patches, and the layer before it gives ${size.join('×')}`,
        )
      return { kind: 'tokens', size: [1, 1], channels }
    case 'attention': {
      needs(['tokens'], layer.query.in)
      const { query, key, value } = layer
      const isOf = ({ in: from, out }: LinearLayer) => from === query.in && out === query.out
      if (!isOf(key) || !isOf(value) || query.out % layer.heads !== 0)
        throw new LayerError(
          `the projections of ${layer.name} (attention) differ in size, or ${layer.heads} heads do not divide ${query.out}`,
        )
      return { ...input, channels: query.out }
    }
    case 'first-tokens':
      needs(['tokens'], undefined)
      return { kind: 'vector', size: [1, 1], channels: layer.count * channels }
  }
}

function windowed(
  layer: { readonly name: string; readonly stride: number; readonly padding?: number },
  size: Size,
  of: number,
): Size {
  const next = windows(size, of, layer.stride, layer.padding)
  if (Math.min(...next) < 1)
    throw new LayerError(`${layer.name} leaves nothing of an image of ${size.join('×')}`)
  return next
}
