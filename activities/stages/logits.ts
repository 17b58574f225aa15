import { evaluatedSets, type EvaluatedSet } from '../../experiment/records/measured.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { output } from '../runtime/blob-codecs.ts'

/** Reads and writes the blob of an evaluation. */

export function encodeLogits(logits: Readonly<Record<EvaluatedSet, Logits>>): Uint8Array {
  const tensors = evaluatedSets.flatMap((set): [string, WritableTensor][] => {
    const { values, labels, classes } = logits[set]
    return [
      [`${set}.logits`, { dtype: 'F32', shape: [labels.length, classes], values }],
      [`${set}.labels`, { dtype: 'I32', shape: [labels.length], values: labels }],
    ]
  })
  return encodeTensors(Object.fromEntries(tensors))
}

/** Reads the logits that an evaluation stored, by set. */
export async function readLogits(
  artifacts: Artifacts,
  manifest: ManifestOf<'evaluate'>,
): Promise<Record<EvaluatedSet, Logits>> {
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, 'logits')))
  const read = (set: EvaluatedSet): Logits => {
    const logits = tensors[`${set}.logits`]
    const labels = tensors[`${set}.labels`]
    if (logits?.dtype !== 'F32' || labels?.dtype !== 'I32')
      throw new Error(`the evaluation's blob lacks the set "${set}"`)
    return { values: logits.values, labels: labels.values, classes: logits.shape[1] ?? 0 }
  }
  return Object.fromEntries(evaluatedSets.map((set) => [set, read(set)])) as Record<EvaluatedSet, Logits>
}
