import type { Architecture } from '../experiment/models/pretrained.ts'
import { resnetHead } from '../experiment/models/resnet.ts'
import { vitHead } from '../experiment/models/vit.ts'
import type { Tensors } from '../learning/model/parameters.ts'

/**
 * The layers that classify, in published names. Where DeiT's distillation token is classified too there are two, whose logits'
 * mean counts; ours is one layer over both tokens side by side (experiment/models/vit.ts).
 */
export function headsOf(architecture: Architecture): readonly string[] {
  if (architecture.kind === 'resnet') return [resnetHead]
  return architecture.distilled ? ['cls_classifier', 'distillation_classifier'] : [vitHead]
}

/** Ours, from both heads. */
export function meanOfHeads(parameters: Tensors, heads: readonly string[]): Tensors {
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

/** All parameters with our one head in the place of the two. */
export function withOneHead(parameters: Tensors, architecture: Architecture): Tensors {
  const heads = headsOf(architecture)
  if (heads.length === 1 || !parameters[`${heads[0] ?? ''}.weight`]) return parameters
  const isHead = (name: string) => heads.some((head) => name.startsWith(`${head}.`))
  const body = Object.entries(parameters).filter(([name]) => !isHead(name))
  return { ...Object.fromEntries(body), ...meanOfHeads(parameters, heads) }
}

/** The inverse: two heads whose mean is ours. Both get our bias. */
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
