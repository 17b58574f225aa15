import type { z } from 'zod'
import { counted } from '../../common/counted.ts'
import { adaptableLayers, layerNames } from '../models/layers.ts'
import type { MapSet } from '../records/feature-maps.ts'
import type { Measured } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { Schemas } from '../spec/schemas.ts'
import { defineRequestedStage, weightInputs, type WeightInputs } from './requested-definition.ts'

function section({ z }: Schemas) {
  return z
    .strictObject({
      layer: z
        .string()
        .min(1)
        .optional()
        .describe(
          'name of a linear or conv layer, whose outputs are drawn; the inputs of the last layer by default',
        ),
      samples: z
        .int()
        .min(5)
        .max(1000)
        .default(500)
        .describe('samples of the forget set, of the retained set and of the test set, at most'),
      neighbours: z
        .int()
        .min(3)
        .max(100)
        .default(15)
        .describe('samples that UMAP considers to be near a sample, itself included'),
      minDistance: z
        .number()
        .min(0)
        .max(1)
        .default(0.1)
        .describe('the smallest distance of points in the map of UMAP'),
    })
    .describe("draw maps of every model's features by UMAP and PCA; not done unless given")
}

export type MapsSpec = z.output<ReturnType<typeof section>>

/**
 * Draws maps of one model's features for chosen samples, and compares the features of every layer
 * with those of every layer of gold.
 */
export const maps = defineRequestedStage<{
  readonly options: MapsSpec
  readonly params: {
    readonly maps: MapsSpec
    readonly model: ModelSpec
    /** Draws the samples and the random numbers of UMAP. */
    readonly seed: number
  }
  readonly inputs: WeightInputs
  readonly metrics: {
    /** The layer in words. */
    readonly layer: string
    /** The numbers of samples. */
    readonly drawn: Readonly<Record<MapSet, number>>
    /** Percent of a sample's neighbours that are its neighbours in the map of UMAP. */
    readonly kept: Measured
    /** Percent of the variance that the two axes of PCA have. */
    readonly explained: Measured
    /** In forward order. */
    readonly layers: readonly MappedLayer[]
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'probes',
  about: "maps of a model's features by UMAP and PCA, and CKA of all layers, on request",
  work: ({ drawn, layers }) =>
    `${counted(drawn.forget + drawn.retained + drawn.test, 'sample')}, ${counted(layers.length, 'layer')}`,
  title: 'Feature maps',
  section,
  example: { samples: 20 },
  check: ({ layer }, layers, report) => {
    const mapped = adaptableLayers(layers)
    if (layer !== undefined && !mapped.some(({ name }) => name === layer))
      report(['layer'], `the model has no linear or conv layer "${layer}"; it has ${layerNames(mapped)}`)
  },
  needsWeights: true,
  stage: (options, { trained, seeds, inputs }) =>
    trained && {
      params: { maps: options, model: trained.model, seed: seeds.split },
      inputs: weightInputs(inputs),
    },
  figures: {
    heading: 'Feature maps',
    introduction: `With \`maps\` in the config. The first two say how much of the features the maps show. Every layer has a CKA, on all chosen samples together.`,
    list: [
      {
        name: 'kept',
        unit: '%',
        about:
          "neighbours of a sample by the layer's features that are its neighbours in the map of UMAP, too",
        formula:
          '100 · mean over the samples of |N(x) ∩ N′(x)| / k, N and N′ the k nearest samples by features and in the map, k = `neighbours` − 1',
        source: 'Lee and Verleysen 2009',
      },
      {
        name: 'explained',
        unit: '%',
        about: "share of the variance of the layer's features that the map of PCA shows",
        formula: '100 · (λ₁ + λ₂) / Σᵢ λᵢ, λ the eigenvalues of the covariance in descending order',
        source: 'Pearson 1901',
      },
      {
        name: 'cka',
        unit: '',
        about: "linear CKA of a layer's features to gold's on the chosen samples: 1 is alike",
        formula: '‖Yᵀ X‖_F² / (‖Xᵀ X‖_F ‖Yᵀ Y‖_F), X and Y the centred features of the model and of gold',
        source: 'Kornblith et al. 2019',
      },
    ],
  },
  tracked: ({ kept, explained, layers }) => [
    { key: 'maps.kept', figure: kept },
    { key: 'maps.explained', figure: explained },
    ...layers.map(({ name, cka }) => ({ key: `maps.${name}.cka`, figure: cka })),
  ],
})

/** The figures of one layer. */
export interface MappedLayer {
  readonly name: string
  /** The number of features. A convolution has one per channel. */
  readonly features: number
  /** Linear CKA to the features of the same layer of gold, in [0, 1]. */
  readonly cka: Measured
}
