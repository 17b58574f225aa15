import { readDataset, readSplit } from '../runtime/blob-codecs.ts'
import type { ProgramBody } from '../runtime/stage.ts'
import { figuresOf, unsplit } from '../stages/evaluation.ts'
import { givenLogits, logitsBySet } from '../stages/given-logits.ts'
import { encodeLogits } from '../stages/logits.ts'

/** Divides the logits of every sample, which a model without weights has, among the sets. */
export const evaluate: ProgramBody<'evaluate'> = async ({ stage, artifacts, inputs, timed }) => {
  const given = await givenLogits(artifacts, inputs.model)
  const { labels, train } = await readDataset(artifacts, inputs.dataset)
  const sets = inputs.split ? await readSplit(artifacts, inputs.split) : unsplit(train)
  const { result, seconds } = await timed(() => logitsBySet(given, sets, labels))
  return {
    outputs: { logits: encodeLogits(result) },
    metrics: figuresOf(result, stage.params.matched),
    seconds,
  }
}
