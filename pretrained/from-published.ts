import type { Architecture } from '../experiment/models/pretrained.ts'
import type { Tensors } from '../learning/model/parameters.ts'
import { withOneHead } from './heads.ts'
import { permuted } from './permute.ts'
import { publishedLayers, publishedTensors, tensorShape } from './published.ts'

/** The names and shapes of a model's tensors in the layout of transformers. */
export function publishedShapes(architecture: Architecture, classes: number) {
  return publishedTensors(publishedLayers(architecture, classes)).map((published) => ({
    name: published.tensor,
    shape: tensorShape(published),
  }))
}

/** Converts tensors in the layout of transformers to our names and order of axes. */
export function fromPublished(tensors: Tensors, architecture: Architecture, classes: number): Tensors {
  const parameters = publishedTensors(publishedLayers(architecture, classes)).map((published) => {
    const { name, shape, tensor, axes } = published
    const values = tensors[tensor]?.values
    if (!values) throw new Error(`the tensors lack "${tensor}"`)
    return [name, { shape, values: permuted(values, tensorShape(published), axes) }] as const
  })
  return withOneHead(Object.fromEntries(parameters), architecture)
}
