import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors } from '../../artifacts/format/safetensors.ts'
import { evaluatedSets, type EvaluatedSet } from '../../experiment/records/measured.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { output } from '../runtime/blob-codecs.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'

/**
 * The logits of a model without weights: one tensor `logits` of type F32 and shape [samples,
 * classes] in safetensors, with the rows in the order of the data set. A stage that makes such a
 * model has them as its output `logits`.
 */
export interface GivenLogits {
  readonly values: Float32Array
  readonly rows: number
  readonly classes: number
}

export function encodeGivenLogits({ values, rows, classes }: GivenLogits): Uint8Array {
  return encodeTensors({ logits: { dtype: 'F32', shape: [rows, classes], values } })
}

/** Reads the logits that a stage stored in place of weights. */
export async function givenLogits(artifacts: Artifacts, manifest: Manifest): Promise<GivenLogits> {
  const { kind, key } = manifest
  const { logits } = decodeTensors(await artifacts.getBlob(output(manifest, 'logits'))).tensors
  const [rows, classes] = logits?.shape ?? []
  if (logits?.dtype !== 'F32' || rows === undefined || classes === undefined)
    throw new Error(`the logits of the ${kind} stage ${key.slice(0, 12)} are no tensor of F32 with two axes`)
  return { values: logits.values, rows, classes }
}

/** The logits of the samples of each set. Labels are [samples] of the whole data set. */
export function logitsBySet(
  { values, rows, classes }: GivenLogits,
  sets: Readonly<Record<EvaluatedSet, Int32Array>>,
  labels: Int32Array,
): Readonly<Record<EvaluatedSet, Logits>> {
  if (rows !== labels.length)
    throw new Error(`there are logits of ${rows} samples, and the data set has ${labels.length}`)
  const of = (indices: Int32Array): Logits => {
    const chosen = new Float32Array(indices.length * classes)
    indices.forEach((index, i) => {
      chosen.set(values.subarray(index * classes, (index + 1) * classes), i * classes)
    })
    return { values: chosen, labels: labelsAt(labels, indices), classes }
  }
  return Object.fromEntries(evaluatedSets.map((set) => [set, of(sets[set])])) as Record<EvaluatedSet, Logits>
}
