import type { z } from 'zod'
import { counted } from '../../common/counted.ts'
import { adaptableLayers, layerNames, matchesAny } from '../models/layers.ts'
import type { Measured } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { Schemas } from '../spec/schemas.ts'
import { defineRequestedStage, weightInputs, type WeightInputs } from './requested-definition.ts'

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
        .describe('forget samples at most: one half trains the probes, the other tests them'),
    })
    .describe(
      "train linear probes on every model's features, and compare these with gold's; not done unless given",
    )
}

type ProbeSpec = z.output<ReturnType<typeof section>>

/**
 * Trains linear probes on one model's features, and compares the features with the gold model's.
 */
export const probe = defineRequestedStage<{
  readonly options: ProbeSpec
  readonly params: {
    readonly probe: ProbeSpec
    readonly model: ModelSpec
    /** Draws the samples. */
    readonly seed: number
  }
  readonly inputs: WeightInputs
  readonly metrics: {
    /**
     * Numbers of samples: those that train the probes, those that test them, and those that CKA
     * compares.
     */
    readonly trained: number
    readonly tested: number
    readonly compared: Readonly<Record<'forget' | 'retained', number>>
    /** In forward order. */
    readonly layers: readonly ProbedLayer[]
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'probes',
  about: "linear probes and CKA of a model's features, on request",
  work: ({ layers, trained, tested }) =>
    `${counted(layers.length, 'layer')}, ${counted(trained + tested, 'sample')}`,
  title: 'Probes',
  section,
  example: {},
  check: ({ layers: patterns }, layers, report) => {
    const probed = adaptableLayers(layers)
    patterns.forEach((pattern, i) => {
      if (!probed.some(matchesAny([pattern])))
        report(['layers', i], `"${pattern}" matches no layer that is probed; these are ${layerNames(probed)}`)
    })
  },
  needsWeights: true,
  stage: (options, { trained, seeds, inputs }) =>
    trained && {
      params: { probe: options, model: trained.model, seed: seeds.split },
      inputs: weightInputs(inputs),
    },
  figures: {
    heading: 'Features',
    introduction: 'With `probe` in the config. Every probed layer has these figures.',
    list: [
      {
        name: 'accuracy',
        unit: '%',
        about: 'forget samples whose class a linear probe recognises in a layer; to compare with gold',
        formula:
          '100 · share of the tested half of D_f where a balanced ridge classifier of the layer’s features finds y',
        source: 'Alain and Bengio 2016',
      },
      ...(['forget', 'retained'] as const).map((set) => ({
        name: `cka.${set}`,
        unit: '',
        about: `linear CKA of a layer's features to gold's on ${setNames[set]}: 1 is alike`,
        formula: '‖Yᵀ X‖_F² / (‖Xᵀ X‖_F ‖Yᵀ Y‖_F), X and Y the centred features of the model and of gold',
        source: 'Kornblith et al. 2019',
      })),
    ],
  },
  tracked: ({ layers }) =>
    layers.flatMap(({ name, accuracy, cka }) => [
      { key: `probe.${name}.accuracy`, figure: accuracy },
      { key: `probe.${name}.cka.forget`, figure: cka.forget },
      { key: `probe.${name}.cka.retained`, figure: cka.retained },
    ]),
})

/** The figures of one layer's features. */
export interface ProbedLayer {
  readonly name: string
  /** The number of features. A convolution has one per channel. */
  readonly features: number
  /** Percent of forget samples whose class a linear probe recognises. */
  readonly accuracy: Measured
  /** Linear CKA to gold's features, in [0, 1]. */
  readonly cka: Readonly<Record<'forget' | 'retained', Measured>>
}
