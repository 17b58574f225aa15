import { counted } from '../../common/counted.ts'
import { defineStage } from './definition.ts'

/** Collects the margins φ of all shadow models in one table. */
export const pool = defineStage<{
  readonly params: Record<never, never>
  /** The shadow models, counted from 1. */
  readonly inputs: Readonly<Record<`shadow${number}`, 'shadow'>>
  readonly metrics: { readonly models: number; readonly samples: number }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'shadows',
  about: 'puts the outputs of all shadow models side by side',
  work: ({ models, samples }) => `${counted(models, 'model')}, ${counted(samples, 'sample')}`,
})
