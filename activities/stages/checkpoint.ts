import { encodeTensors } from '../../artifacts/format/safetensors.ts'
import { readCheckpoint } from '../../pretrained/read.ts'
import { findCheckpoint } from '../inputs/checkpoint-directory.ts'
import { floats } from '../runtime/device.ts'
import type { StageBody } from '../runtime/stage.ts'

/**
 * Stores the weights under the names that all stages use. They include the checkpoint's own head if
 * it has one.
 */
export const checkpoint: StageBody<'checkpoint'> = async ({ stage, settings, timed }) => {
  const { directory } = await findCheckpoint(settings.modelDirectory)
  const { result, seconds } = await timed(() => readCheckpoint(directory, stage.params.checkpoint))
  const parameters = Object.values(result).reduce((sum, { values }) => sum + values.length, 0)
  return { outputs: { model: encodeTensors(floats(result)) }, metrics: { parameters }, seconds }
}
