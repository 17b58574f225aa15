import { margins } from '../../unlearning/population/margin.ts'
import { shadowHalf } from '../../unlearning/population/shadows.ts'
import { encodeShadow } from '../runtime/blob-codecs.ts'
import type { ProgramBody } from '../runtime/stage.ts'
import { runForLogits } from './run-program.ts'
import { readTaskData } from './task-data.ts'

/**
 * Lets an external program train a shadow model. Its half of all samples contains test samples,
 * whose labels the program gets. It gets none of the other test samples.
 */
export const shadow: ProgramBody<'shadow'> = async (context) => {
  const { stage, artifacts, inputs } = context
  const { seed, index } = stage.params
  const { stored, images } = await readTaskData(artifacts, inputs.dataset)
  const { labels } = stored
  const members = shadowHalf(labels.length, seed, index)
  const indices = Int32Array.from(labels, (_, i) => i).filter((i) => members[i] === 1)
  const { reported, files, logits, seconds } = await runForLogits(context, {
    task: 'train',
    data: { ...images, labels, test: stored.test.filter((i) => members[i] === 0) },
    sets: { train: indices },
  })
  const { step: steps, curve, figures } = reported
  const classes = images.classes.length
  const phi = Float32Array.from(margins({ values: logits, labels, classes }))
  return {
    outputs: { files, margins: encodeShadow({ phi, members }) },
    metrics: { steps, curve, ...(figures && { figures }), members: indices.length, samples: labels.length },
    seconds,
  }
}
