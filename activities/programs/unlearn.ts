import { hasWeights } from '../../experiment/spec/program.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import type { ProgramBody } from '../runtime/stage.ts'
import { architectureOf, originalFiles } from './original-files.ts'
import type { Reported } from './reported.ts'
import { encodeAllLogits, runForLogits, runProgram, type ProgramTask } from './run-program.ts'
import { readTaskData } from './task-data.ts'

/** Lets an external program make an unlearned model from the original. */
export const unlearn: ProgramBody<'unlearn'> = async (context) => {
  const { stage, artifacts, inputs } = context
  const { program, model } = stage.params
  const { facts } = inputs.dataset.params
  const { stored, images } = await readTaskData(artifacts, inputs.dataset)
  const { retained, forget, validation } = await readSplit(artifacts, inputs.split)
  const original = await originalFiles(artifacts, inputs.original, model, facts)
  const task: ProgramTask = {
    task: 'unlearn',
    data: { ...images, labels: stored.labels, test: stored.test },
    sets: { retained, forget, validation },
    original,
    ...(model && { architecture: architectureOf(model) }),
  }
  if (model && hasWeights(program.result)) {
    // Loads TensorFlow, which a program that leaves logits does not need.
    const { readModel } = await import('./weights-result.ts')
    const { reported, result, seconds } = await runProgram(context, task, (output) =>
      readModel(output, program.result, { artifacts, model, facts, original: inputs.original }),
    )
    return { outputs: result, metrics: metricsOf(reported), seconds }
  }
  const { reported, files, logits, seconds } = await runForLogits(context, task)
  return {
    outputs: { files, logits: encodeAllLogits(logits, images.classes.length) },
    metrics: metricsOf(reported),
    seconds,
  }
}

function metricsOf({ step: steps, curve, samplesUsed, figures }: Reported): StageMetrics['unlearn'] {
  return { steps, curve, ...(figures && { figures }), ...(samplesUsed && { samplesUsed }) }
}
