import type { Architecture } from '../experiment/models/pretrained.ts'
import { resnetHead } from '../experiment/models/resnet.ts'
import { vitHead } from '../experiment/models/vit.ts'
import type { Tensors } from '../learning/model/parameters.ts'

/**
 * The published names of the layers that classify. A DeiT with a distillation token has two heads
 * whose mean is used. Here they are one layer over both tokens (experiment/models/vit.ts).
 */
export function headsOf(architecture: Architecture): readonly string[] {
  if (architecture.kind === 'resnet') return [resnetHead]
  return architecture.distilled ? ['cls_classifier', 'distillation_classifier'] : [vitHead]
}

/** The parameters of the single head that computes the mean of the published heads. */
function meanOfHeads(parameters: Tensors, heads: readonly string[]): Tensors {
  const [weights, biases] = ['weight', 'bias'].map((part) =>
    heads.map((head) => parameters[`${head}.${part}`]?.values ?? new Float32Array()),
  )
  const [width = 0, classes = 0] = parameters[`${heads[0] ?? ''}.weight`]?.shape ?? []
  const half = (vectors: readonly Float32Array[] = []) =>
    Float32Array.from(
      vectors.flatMap((vector) => [...vector]),
      (value) => value / heads.length,
    )
  const bias = new Float32Array(classes)
  for (const vector of biases ?? [])
    vector.forEach((value, i) => (bias[i] = (bias[i] ?? 0) + value / heads.length))
  return {
    [`${vitHead}.weight`]: { shape: [heads.length * width, classes], values: half(weights) },
    [`${vitHead}.bias`]: { shape: [classes], values: bias },
  }
}

/** Replaces the published heads by the single head. */
export function withOneHead(parameters: Tensors, architecture: Architecture): Tensors {
  const heads = headsOf(architecture)
  if (heads.length === 1 || !parameters[`${heads[0] ?? ''}.weight`]) return parameters
  const isHead = (name: string) => heads.some((head) => name.startsWith(`${head}.`))
  const body = Object.entries(parameters).filter(([name]) => !isHead(name))
  return { ...Object.fromEntries(body), ...meanOfHeads(parameters, heads) }
}

/** The inverse of `withOneHead`: two heads whose mean is the single head. Both get its bias. */
export function withPublishedHeads(parameters: Tensors, architecture: Architecture): Tensors {
  const heads = headsOf(architecture)
  const { [`${vitHead}.weight`]: weight, [`${vitHead}.bias`]: bias, ...body } = parameters
  if (heads.length === 1 || !weight || !bias) return parameters
  const [rows = 0, classes = 0] = weight.shape
  const width = rows / heads.length
  const each = heads.flatMap((head, i) => {
    const part = weight.values.subarray(i * width * classes, (i + 1) * width * classes)
    const values = part.map((value) => value * heads.length)
    return [
      [`${head}.weight`, { shape: [width, classes], values }],
      [`${head}.bias`, bias],
    ] as const
  })
  return { ...body, ...Object.fromEntries(each) }
}
