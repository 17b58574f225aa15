import type { Layer, Shape } from './layers.ts'

/** The kernel of the first convolution, which whitens its inputs. */
const WHITEN = 2

/** The size of the max-pooling windows of the groups, and of the one before the head. */
const POOL = 2
const LAST_POOL = 3

/** The factor of the logits. */
const SCALE = 1 / 9

/**
 * The convolutional network of K. Jordan's airbench (arXiv 2404.00498): a whitening convolution and
 * three groups of two convolutions, with GELU. Batch norms have no scale, and convolutions start as
 * the identity.
 *
 * The original multiplies the logits xW by 1/9. Here the factor is part of the head, W' = W/9, so
 * that the last layer is linear. W' starts at W/9. Since ∂L/∂W = ∂L/∂W' / 9, a step of SGD on W
 * with the learning rate r changes W' as a step with the rate r/81 does. Weight decay has the same
 * relative effect on both. A training like the original's therefore gives the layer `head` 1/81 of
 * the rate.
 */
export function airbenchLayers(
  widths: readonly number[],
  [height, width, channels]: Shape,
  classes: number,
): readonly Layer[] {
  const whitened = 2 * WHITEN * WHITEN * channels
  const groups = widths.flatMap((out, i) => group(`group${i + 1}`, widths[i - 1] ?? whitened, out))
  const last = widths.at(-1) ?? whitened
  return [
    {
      kind: 'conv',
      name: 'whiten',
      in: channels,
      out: whitened,
      kernel: WHITEN,
      stride: 1,
      padding: 0,
      bias: true,
      whitening: true,
    },
    { kind: 'gelu', name: 'whiten.gelu', tanh: false },
    ...groups,
    { kind: 'max-pool', name: 'pool', size: LAST_POOL, padding: 0 },
    { kind: 'flatten', name: 'flatten' },
    {
      kind: 'linear',
      name: 'head',
      in: pooled(height, widths.length) * pooled(width, widths.length) * last,
      out: classes,
      bias: false,
      initial: 'uniform',
      initialScale: SCALE,
    },
  ]
}

/** The smallest height and width of images of which all poolings leave a pixel. */
export function smallestImage(groups: number): number {
  return LAST_POOL * POOL ** groups + WHITEN - 1
}

/** The pixels that are left of a side of the image before the head. */
function pooled(side: number, groups: number): number {
  return Math.floor((side - WHITEN + 1) / (LAST_POOL * POOL ** groups))
}

function group(name: string, from: number, to: number): readonly Layer[] {
  return [
    convolution(`${name}.conv1`, from, to),
    { kind: 'max-pool', name: `${name}.pool`, size: POOL, padding: 0 },
    ...normAndGelu(`${name}.conv1`, to),
    convolution(`${name}.conv2`, to, to),
    ...normAndGelu(`${name}.conv2`, to),
  ]
}

function convolution(name: string, from: number, to: number): Layer {
  return { kind: 'conv', name, in: from, out: to, kernel: 3, stride: 1, bias: false, initial: 'identity' }
}

function normAndGelu(name: string, channels: number): readonly Layer[] {
  return [
    { kind: 'batch-norm', name: `${name}.norm`, channels, scale: false, momentum: 0.6, epsilon: 1e-12 },
    { kind: 'gelu', name: `${name}.gelu`, tanh: false },
  ]
}
