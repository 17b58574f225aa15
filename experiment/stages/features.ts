import type { z } from 'zod'
import { counted } from '../../common/counted.ts'
import { adaptableLayers, layerNames, matchesAny } from '../models/layers.ts'
import type { Measured } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { Schemas } from '../spec/schemas.ts'
import { defineRequestedStage } from './requested-definition.ts'

function section({ z }: Schemas) {
  return z
    .strictObject({
      layers: z
        .array(z.string().min(1))
        .min(1)
        .default(['*'])
        .describe('names of the linear and conv layers; * matches anything'),
      samples: z
        .int()
        .min(4)
        .default(2000)
        .describe('samples of the forget set and of the retained set, at most'),
    })
    .describe("measure how far every model's features are from gold's; not done unless given")
}

type FeaturesSpec = z.output<ReturnType<typeof section>>

export const featureSets = ['forget', 'retained'] as const
export type FeatureSet = (typeof featureSets)[number]

/** Measures how far one model's features are from the gold model's, layer by layer. */
export const features = defineRequestedStage<{
  readonly options: FeaturesSpec
  readonly params: {
    readonly features: FeaturesSpec
    readonly model: ModelSpec
    /** Draws the samples. */
    readonly seed: number
  }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly model: 'train' | 'unlearn'
    readonly goldModel: 'train'
  }
  readonly metrics: {
    /** The numbers of samples. */
    readonly compared: Readonly<Record<FeatureSet, number>>
    /** In forward order. */
    readonly layers: readonly LayerDistance[]
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'probes',
  about: "distance of a model's features to gold's, on request",
  work: ({ layers, compared: { forget, retained } }) =>
    `${counted(layers.length, 'layer')}, ${counted(forget + retained, 'sample')}`,
  title: 'Feature distance',
  section,
  example: {},
  check: ({ layers: patterns }, layers, report) => {
    const compared = adaptableLayers(layers)
    patterns.forEach((pattern, i) => {
      if (!compared.some(matchesAny([pattern])))
        report(
          ['layers', i],
          `"${pattern}" matches no layer whose features are compared; these are ${layerNames(compared)}`,
        )
    })
  },
  needsWeights: true,
  stage: (options, { trained, seeds, inputs }) =>
    trained &&
    inputs.goldModel && {
      params: { features: options, model: trained.model, seed: seeds.split },
      inputs: {
        dataset: inputs.dataset,
        split: inputs.split,
        model: inputs.model,
        goldModel: inputs.goldModel,
      },
    },
  figures: {
    heading: 'Feature distance to gold',
    introduction: `With \`features\` in the config. Every layer has these figures. They depend on the number of samples: compare them with the floor, not with other
experiments.`,
    list: featureSets.map((set) => ({
      name: `distance.${set}`,
      unit: '',
      about: `distance of a layer's features to gold's on ${setNames[set]} after the best rotation: 0 is alike, 1 unrelated`,
      formula:
        '1 − ‖Xᵀ Y‖_* = min_Q ½ ‖X − Y Q‖_F², Q orthogonal, X and Y the features of the model and of gold, centred and divided by their Frobenius norms',
      source: 'Ding et al. 2021',
    })),
  },
  tracked: ({ layers }) =>
    layers.flatMap(({ name, distance }) =>
      featureSets.map((set) => ({ key: `features.${name}.distance.${set}`, figure: distance[set] })),
    ),
})

/** The distance of one layer's features to gold's. */
export interface LayerDistance {
  readonly name: string
  /** The number of features. A convolution has one per channel. */
  readonly features: number
  /** Orthogonal Procrustes distance, in [0, 1]. */
  readonly distance: Readonly<Record<FeatureSet, Measured>>
}
