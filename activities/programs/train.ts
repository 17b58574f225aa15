import { readSplit } from '../runtime/blob-codecs.ts'
import type { ProgramBody } from '../runtime/stage.ts'
import { encodeAllLogits, runForLogits } from './run-program.ts'
import { readTaskData } from './task-data.ts'

/** Lets an external program train the original or a gold model. */
export const train: ProgramBody<'train'> = async (context) => {
  const { artifacts, inputs } = context
  const { stored, images } = await readTaskData(artifacts, inputs.dataset)
  const indices = inputs.split ? (await readSplit(artifacts, inputs.split)).retained : stored.train
  const { reported, files, logits, seconds } = await runForLogits(context, {
    task: 'train',
    data: { ...images, labels: stored.labels, test: stored.test },
    sets: { train: indices },
  })
  const { step: steps, curve, figures } = reported
  return {
    outputs: { files, logits: encodeAllLogits(logits, images.classes.length) },
    metrics: { steps, curve, ...(figures && { figures }) },
    seconds,
  }
}
