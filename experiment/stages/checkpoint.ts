import { counted } from '../../common/counted.ts'
import type { CheckpointFacts } from '../models/pretrained.ts'
import { defineStage } from './definition.ts'

/** Reads a pre-trained model's files and publishes the weights. */
export const checkpoint = defineStage<{
  readonly params: { readonly checkpoint: CheckpointFacts }
  readonly inputs: Record<never, never>
  readonly metrics: { readonly parameters: number }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'data',
  about: 'reads a pre-trained model',
  work: ({ parameters }) => counted(parameters, 'parameter'),
})
