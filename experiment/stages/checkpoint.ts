import { counted } from '../../common/counted.ts'
import type { CheckpointFacts } from '../models/pretrained.ts'
import type { GivenFiles } from '../spec/given.ts'
import type { ModelSpec } from '../spec/model.ts'
import { defineStage } from './definition.ts'

/**
 * Reads the files of a pre-trained model, or of a model that was made elsewhere, and publishes the
 * weights or the logits.
 */
export const checkpoint = defineStage<{
  readonly params:
    | { readonly checkpoint: CheckpointFacts }
    /** `model` is the architecture that an adapter changes. Absent without an adapter. */
    | { readonly given: GivenFiles; readonly model?: ModelSpec }
  readonly inputs: {
    /** Both are present for an adapter, which changes the original. */
    readonly dataset?: 'dataset'
    readonly original?: 'train'
  }
  readonly metrics: { readonly parameters: number }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'data',
  about: 'reads a pre-trained model, or a model that was made elsewhere',
  work: ({ parameters }) => counted(parameters, 'parameter'),
})
