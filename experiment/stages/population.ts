import { leastModels } from '../plan/population.ts'
import type { Estimate, Measured } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import { defineStage } from './definition.ts'

/** Compares one method's models of all seeds with as many gold models, by their logits. */
export const population = defineStage<{
  readonly params: Record<never, never>
  /** The evaluations of each seed's models. Seeds count from 1. */
  readonly inputs: Readonly<Record<`unlearned${number}` | `gold${number}`, 'evaluate'>>
  readonly metrics: {
    /** The number of models of each kind. */
    readonly models: number
    /**
     * U-LiRA: the accuracy in percent of telling unlearned models from gold by a sample of D_f. 50
     * is ideal.
     */
    readonly uLira: Estimate
    /** The accuracy for the models of each seed. Absent if `uLira` is missing. */
    readonly uLiraBySeed?: readonly number[]
    /**
     * KLoM: the KL divergence of margins to gold, in nats. Mean and 95th percentile over the
     * samples.
     */
    readonly klom: Readonly<
      Record<'forget' | 'retained' | 'test', { readonly mean: Measured; readonly percentile95: Measured }>
    >
    /** F of the NeurIPS 2023 challenge in [0, 1], and F times the ratios of RA and TA to gold's. */
    readonly forgettingQuality: { readonly forgetting: Measured; readonly score: Measured }
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'comparison',
  about: 'compares the models of all seeds with as many gold models',
  work: ({ models }) => `${models} models of each kind`,
  figures: {
    heading: 'Populations over seeds',
    introduction: `These figures compare the models of all seeds with as many gold models, sample by sample. With fewer seeds than the table says, two gold models differ as
much as the original does; the figure is then missing.`,
    list: [
      {
        name: 'uLira',
        unit: '%',
        about: `accuracy of telling unlearned models from gold by a forget sample (U-LiRA); 50 is gold; from ${leastModels.uLira} seeds on`,
        formula:
          '100 · mean over x ∈ D_f of P[N(φ; μ_u, σ_u²) > N(φ; μ_g, σ_g²)], balanced, of models left out of the fit',
        source: 'Hayes et al. 2024',
      },
      ...(['forget', 'retained', 'test'] as const).map((set) => ({
        name: `klom.${set}`,
        unit: 'nats',
        about: `divergence of margins to gold on ${setNames[set]} (KLoM): mean and 95th percentile; from ${leastModels.klom} seeds on`,
        formula: 'per sample Σ_b u_b log(u_b / g_b), u and g the histograms of φ, clipped to ±100, ε = 10⁻⁵',
        source: 'Georgiev et al. 2024',
      })),
      {
        name: 'forgettingQuality.forgetting',
        unit: '',
        about: `forgetting quality of the NeurIPS 2023 challenge: 1 is gold; from ${leastModels.forgettingQuality} seeds on`,
        formula: 'F = mean over x ∈ D_f of 2 / 2^n(ε(x)), n the bin of ε of width ½',
        source: 'Triantafillou et al. 2024',
      },
      {
        name: 'forgettingQuality.score',
        unit: '',
        about: 'forgetting quality times the ratios of RA and TA to gold',
        formula: 'F · RA/RA_g · TA/TA_g',
        source: 'Triantafillou et al. 2024',
      },
    ],
  },
})
