import type { z } from 'zod'
import { counted } from '../../common/counted.ts'
import { anamnesisIndex } from '../records/anamnesis.ts'
import type { Measured } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import { checkOptimizer } from '../spec/check-optimizer.ts'
import type { OptimizerSpec } from '../spec/optimizer.ts'
import { within } from '../spec/problems.ts'
import type { Schemas } from '../spec/schemas.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineRequestedStage } from './requested-definition.ts'

function section({ z, count, optimizer }: Schemas) {
  return z
    .strictObject({
      maxSteps: count
        .max(10_000)
        .default(200)
        .describe('the count ends here if the forget set is not learnt by then'),
      batchSize: count.default(64).describe('samples in a batch'),
      optimizer: optimizer
        .optional()
        .describe("the training's unless given; the learning rate stays as it is"),
      every: count.default(1).describe('steps between two looks at the accuracy on the forget set'),
    })
    .describe('count the steps in which every model learns the forget set again; not done unless given')
}

type RelearnSpec = z.output<ReturnType<typeof section>>

/**
 * Fine-tunes one model on the forget set alone, until its accuracy there is within 5 points of the
 * original's.
 */
export const relearn = defineRequestedStage<{
  readonly options: RelearnSpec
  readonly params: {
    readonly relearn: RelearnSpec & { readonly optimizer: OptimizerSpec }
    readonly model: ModelSpec
    /** The augmentation of the training. */
    readonly augment: TrainingSpec['augment']
    readonly seed: number
  }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly model: 'train' | 'unlearn'
    readonly originalEvaluation: 'evaluate'
  }
  readonly metrics: {
    /** Steps until the accuracy is `wanted`. */
    readonly steps: Measured
    /** In percent: 5 points below the original's accuracy. Absent if that is missing. */
    readonly wanted?: number
    /** The number of forget samples on which the accuracy was computed. */
    readonly samples: number
    readonly curve: readonly RelearnPoint[]
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'relearning',
  about: 'fine-tunes a model on the forget set, on request',
  work: ({ curve, samples }) => `${counted(curve.at(-1)?.step ?? 0, 'step')}, ${counted(samples, 'sample')}`,
  title: 'Relearning',
  section,
  example: { maxSteps: 5 },
  check: ({ optimizer }, layers, report) => {
    if (optimizer) checkOptimizer(optimizer, layers, within(['optimizer'], report))
  },
  needsWeights: true,
  stage: (options, { trained, seeds, inputs }) =>
    trained && {
      params: {
        relearn: { ...options, optimizer: options.optimizer ?? trained.training.optimizer },
        model: trained.model,
        augment: trained.training.augment,
        seed: seeds.unlearning,
      },
      inputs: {
        dataset: inputs.dataset,
        split: inputs.split,
        model: inputs.model,
        originalEvaluation: inputs.originalEvaluation,
      },
    },
  figures: {
    heading: 'Relearning',
    introduction: 'With `relearn` in the config.',
    list: [
      {
        name: 'steps',
        unit: 'steps',
        about: "fine-tuning on the forget set until its accuracy is within 5 points of the original's",
        formula: 'least number of steps with FA ≥ FA_o − 5',
        source: 'Tarun et al. 2023 (UNSIR)',
      },
      {
        name: 'ain',
        unit: '× gold',
        about: 'anamnesis index: those steps over the ones that gold needs',
        formula: 'steps / steps_g',
        source: 'Chundawat et al. 2023 (zero-shot unlearning)',
      },
    ],
  },
  tracked: ({ steps, curve }, gold) => [
    { key: 'relearn.steps', figure: steps },
    ...(gold ? [{ key: 'relearn.ain', figure: anamnesisIndex(steps, gold.steps) }] : []),
    ...curve.map(({ step, accuracy }) => ({ key: 'relearn/accuracy', figure: { value: accuracy }, step })),
  ],
})

/** The accuracy in percent on the forget set after a number of steps. */
export interface RelearnPoint {
  readonly step: number
  readonly accuracy: number
}
