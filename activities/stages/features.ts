import { featureDistances } from '../../unlearning/probes/feature-distance.ts'
import type { StageBody } from '../runtime/stage.ts'
import { withProbing } from './with-probing.ts'

export const features: StageBody<'features'> = (context) => {
  const { features: options, model, seed } = context.stage.params
  return withProbing(context, { model, seed, options }, featureDistances)
}
