import { encodeTensors } from '../../artifacts/format/safetensors.ts'
import { filesDigest } from '../../experiment/spec/given.ts'
import { readCheckpoint } from '../../pretrained/read.ts'
import { findCheckpoint } from '../inputs/checkpoint-directory.ts'
import { floats } from '../runtime/device.ts'
import type { StageBody } from '../runtime/stage.ts'

/**
 * Stores the weights under the names that all stages use. Those of a pre-trained model include the
 * checkpoint's own head if it has one.
 */
export const checkpoint: StageBody<'checkpoint'> = async (context) => {
  const { stage, settings, timed } = context
  const { params } = stage
  if ('given' in params) return (await import('./given-files.ts')).storeGivenFiles(context, params)
  const place = settings.places?.[filesDigest(params.checkpoint.files)] ?? settings.modelDirectory
  const { directory } = await findCheckpoint(place)
  const { result, seconds } = await timed(() => readCheckpoint(directory, params.checkpoint))
  const parameters = Object.values(result).reduce((sum, { values }) => sum + values.length, 0)
  return { outputs: { model: encodeTensors(floats(result)) }, metrics: { parameters }, seconds }
}
