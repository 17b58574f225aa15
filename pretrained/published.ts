import type { Architecture } from '../experiment/models/pretrained.ts'
import { architectureLayers } from '../experiment/models/model.ts'
import { flattenLayers, type Layer } from '../experiment/models/layers.ts'
import { headsOf } from './heads.ts'

/** A parameter of a model and the tensor of a published checkpoint that holds it. */
export interface Published {
  /** Our name, as in learning/model/parameters.ts. */
  readonly name: string
  readonly shape: readonly number[]
  /**
   * The tensor's name. PyTorch has outputs before inputs, and both before the sides of a kernel.
   */
  readonly tensor: string
  /** Axis i of our parameter is axis `axes[i]` of the tensor. */
  readonly axes: readonly number[]
}

/**
 * The layers of a model with the heads of its published checkpoint; without heads for 0 classes.
 */
export function publishedLayers(architecture: Architecture, classes: number): readonly Layer[] {
  const body = architectureLayers(architecture, classes).slice(0, -1)
  if (classes === 0) return body
  const width = architecture.kind === 'vit' ? architecture.width : (architecture.widths.at(-1) ?? 0)
  return [
    ...body,
    ...headsOf(architecture).map((name): Layer => ({ kind: 'linear', name, in: width, out: classes })),
  ]
}

/** All tensors of a published checkpoint of this model, including its heads. */
export function publishedTensors(layers: readonly Layer[]): readonly Published[] {
  return flattenLayers(layers).flatMap((layer): Published[] => {
    const { name } = layer
    const vector = (ours: string, theirs: string, length: number): Published => ({
      name: `${name}.${ours}`,
      shape: [length],
      tensor: `${name}.${theirs}`,
      axes: [0],
    })
    switch (layer.kind) {
      case 'linear':
        return [
          { name: `${name}.weight`, shape: [layer.in, layer.out], tensor: `${name}.weight`, axes: [1, 0] },
          ...((layer.bias ?? true) ? [vector('bias', 'bias', layer.out)] : []),
        ]
      case 'conv': {
        const shape = [layer.kernel, layer.kernel, layer.in, layer.out]
        return [
          { name: `${name}.weight`, shape, tensor: `${name}.weight`, axes: [2, 3, 1, 0] },
          ...(layer.bias ? [vector('bias', 'bias', layer.out)] : []),
        ]
      }
      case 'batch-norm':
        return [
          vector('gamma', 'weight', layer.channels),
          vector('beta', 'bias', layer.channels),
          vector('mean', 'running_mean', layer.channels),
          vector('variance', 'running_var', layer.channels),
        ]
      case 'layer-norm':
        return [vector('gamma', 'weight', layer.channels), vector('beta', 'bias', layer.channels)]
      case 'tokens': {
        const first = ['cls_token', ...(layer.distillation ? ['distillation_token'] : [])]
        const whole = (part: string, length: number): Published => ({
          name: `${name}.${part}`,
          shape: [1, length, layer.channels],
          tensor: `${name}.${part}`,
          axes: [0, 1, 2],
        })
        return [
          ...first.map((token) => whole(token, 1)),
          whole('position_embeddings', first.length + layer.patches),
        ]
      }
      default:
        return []
    }
  })
}

/** The shape of the tensor that holds a parameter. */
export function tensorShape({ shape, axes }: Published): readonly number[] {
  return axes.map((_, theirs) => shape[axes.indexOf(theirs)] ?? 0)
}
