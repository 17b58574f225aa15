import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import { evaluatedSets, type EvaluatedSet, type Measured } from '../../experiment/records/measured.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { accuracy } from '../../unlearning/metrics/accuracy.ts'
import { confidenceHistogram } from '../../unlearning/metrics/confidence-histogram.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { output, readDataset, readSplit } from '../runtime/blob-codecs.ts'
import type { ProgramBody } from '../runtime/stage.ts'
import { encodeLogits } from '../stages/logits.ts'

/**
 * Divides the logits that an external program has computed of every sample among the sets. Without a
 * split all training samples are retained, and the other sets are empty.
 */
export const evaluate: ProgramBody<'evaluate'> = async ({ artifacts, inputs, timed }) => {
  const { labels, train } = await readDataset(artifacts, inputs.dataset)
  const split = inputs.split && (await readSplit(artifacts, inputs.split))
  const { values, classes } = await readAllLogits(artifacts, inputs.model)
  const indicesOf = (set: EvaluatedSet) => split?.[set] ?? (set === 'retained' ? train : new Int32Array())
  const { result: sets, seconds } = await timed(() => {
    const entries = evaluatedSets.map((set) => [set, logitsAt({ values, labels, classes }, indicesOf(set))])
    return Object.fromEntries(entries) as Record<EvaluatedSet, Logits>
  })
  return {
    outputs: { logits: encodeLogits(sets) },
    metrics: {
      accuracy: Object.fromEntries(evaluatedSets.map((set) => [set, accuracy(sets[set])])) as Record<
        EvaluatedSet,
        Measured
      >,
      confidence: {
        retained: confidenceHistogram(sets.retained),
        forget: confidenceHistogram(sets.forget),
        test: confidenceHistogram(sets.test),
      },
    },
    seconds,
  }
}

async function readAllLogits(artifacts: Artifacts, model: Manifest): Promise<Omit<Logits, 'labels'>> {
  const { logits } = decodeTensors(await artifacts.getBlob(output(model, 'logits'))).tensors
  if (logits?.dtype !== 'F32')
    throw new Error('the blob with the logits of a program lacks the tensor "logits"')
  return { values: logits.values, classes: logits.shape[1] ?? 0 }
}

function logitsAt({ values, labels, classes }: Logits, indices: Int32Array): Logits {
  const some = new Float32Array(indices.length * classes)
  indices.forEach((from, to) => {
    some.set(values.subarray(from * classes, (from + 1) * classes), to * classes)
  })
  return { values: some, labels: indices.map((i) => labels[i] ?? -1), classes }
}
