import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import type { OrderSpec } from '../../experiment/spec/replay.ts'
import { resolveClasses } from '../../experiment/spec/sets.ts'
import type { LateSamples } from '../../learning/data/training-batches.ts'

/** The samples that a training reads late, by the option `training.order`. */
export function lateSamples(
  order: OrderSpec | undefined,
  facts: DatasetFacts,
  labels: Int32Array,
): LateSamples | undefined {
  if (!order) return undefined
  const { classes, indices = [], last } = order
  if (!classes) return { samples: Int32Array.from(indices), last }
  const late = new Set(resolveClasses({ kind: 'class', classes }, facts))
  return { samples: Int32Array.from(labels.keys()).filter((i) => late.has(labels[i] ?? -1)), last }
}
