import { probe as probeFeatures } from '../../unlearning/probes/probe.ts'
import type { StageBody } from '../runtime/stage.ts'
import { withProbing } from './with-probing.ts'

export const probe: StageBody<'probe'> = (context) => {
  const { probe: options, model, seed } = context.stage.params
  return withProbing(context, { model, seed, options }, probeFeatures)
}
