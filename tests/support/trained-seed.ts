import type { StageParams } from '../../experiment/stages/stage.ts'

/** The seed of a model that is trained here. Fails for one from elsewhere, which has none. */
export function trainedSeed(params: StageParams['train']): number {
  if (params.on === 'given') throw new Error('the model was made elsewhere, and has no seed')
  return params.seed
}
