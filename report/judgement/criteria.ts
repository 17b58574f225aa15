import type { Measured, ShadowAttack, ShadowedSet } from '../../experiment/records/measured.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import { anamnesisIndex } from '../../experiment/records/anamnesis.ts'
import type { FeatureSet } from '../../experiment/stages/features.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { Candidate, SeedPlan } from '../../experiment/plan/types.ts'
import { rowsOf, seedsOf } from '../../experiment/stages/stage-list.ts'
import type { MetricName } from '../../experiment/records/results.ts'
import { manifestOf, type ReportInput } from '../input.ts'
import { goldBySeed, resultsBySeed, type GoldFigures } from '../results.ts'

/** The families of criteria. The worst family decides on a method. */
export const families = {
  averages: 'averages',
  forget: 'forget set, sample by sample',
  retained: 'retained set, sample by sample',
  features: 'features and relearning',
} as const
export type Family = keyof typeof families

/**
 * A distance between a model and gold, by which methods are compared with another gold model. It
 * counts as evidence by what it measures:
 *
 * - `forgetting` counts only if the original, which has forgotten nothing, is further from gold
 *   than the floor.
 * - `harm` always counts. The original is trained on the retained set too and cannot be a control.
 *   The test asks whether a method is as close to gold as the floor, within δ.
 */
export interface Criterion {
  readonly id: string
  readonly label: string
  /** A description for sentences and legends. */
  readonly about: string
  readonly family: Family
  readonly measures: 'forgetting' | 'harm'
  /** The greatest distance beyond the floor's that counts as equivalent. */
  readonly delta: number
  readonly unit: 'points' | 'bits' | ''
  /** Whether the figures of seeds share models (see pairedTest). */
  readonly correlated?: boolean
  /** Distances by row of the results and by seed; undefined if the run does not measure them. */
  readonly distances: (input: ReportInput) => readonly (readonly Measured[])[] | undefined
}

const setWords: Readonly<Record<FeatureSet, string>> = {
  forget: 'on the forget set',
  retained: 'on the retained set',
}

export const criteria: readonly Criterion[] = [
  {
    id: 'ua',
    label: 'UA',
    about: 'absolute difference of UA to gold',
    family: 'averages',
    measures: 'forgetting',
    delta: 1,
    unit: 'points',
    distances: (input) => gaps(input, ['ua']),
  },
  {
    id: 'mia',
    label: 'MIA',
    about: 'absolute difference of MIA-efficacy to gold',
    family: 'averages',
    measures: 'forgetting',
    delta: 1,
    unit: 'points',
    distances: (input) => gaps(input, ['mia']),
  },
  {
    id: 'utility',
    label: 'RA, TA',
    about: 'mean absolute difference of RA and TA to gold',
    family: 'averages',
    measures: 'harm',
    delta: 1,
    unit: 'points',
    distances: (input) => gaps(input, ['ra', 'ta']),
  },
  {
    id: 'activation-forget',
    label: 'AD D_f',
    about: 'activation distance to gold on the forget set',
    family: 'forget',
    measures: 'forgetting',
    delta: 0.05,
    unit: '',
    distances: (input) => metric(input, 'activationForget'),
  },
  {
    id: 'js',
    label: 'JS',
    about: 'Jensen-Shannon divergence to gold on the forget set',
    family: 'forget',
    measures: 'forgetting',
    delta: 0.02,
    unit: 'bits',
    distances: (input) => metric(input, 'jsDivergence'),
  },
  {
    id: 'u-lira',
    label: 'U-LiRA',
    about: "accuracy of telling a seed's models from gold by a sample of the forget set, beyond 50%",
    family: 'forget',
    measures: 'forgetting',
    delta: 5,
    unit: 'points',
    correlated: true,
    distances: uLiraAccuracies,
  },
  shadowAttack('lira', 'LiRA D_f', 'forget'),
  shadowAttack('rmia', 'RMIA D_f', 'forget'),
  {
    id: 'ruli',
    label: 'RULI D_f',
    about:
      'distance from 0.5 of the AUC of RULI (kernel densities) on the most vulnerable samples of the forget set',
    family: 'forget',
    measures: 'forgetting',
    delta: 0.05,
    unit: '',
    distances: vulnerableSamples,
  },
  rankCorrelation('forget'),
  varianceRatio('forget'),
  {
    id: 'activation-retained',
    label: 'AD D_r',
    about: 'activation distance to gold on the retained set',
    family: 'retained',
    measures: 'harm',
    delta: 0.05,
    unit: '',
    distances: (input) => metric(input, 'activationRetained'),
  },
  shadowAttack('lira', 'LiRA D_r', 'retained'),
  rankCorrelation('retained'),
  varianceRatio('retained'),
  {
    id: 'probe',
    label: 'Probe',
    about:
      'absolute difference to gold of the share of the forget set that a linear probe recognises, in the worst layer',
    family: 'features',
    measures: 'forgetting',
    delta: 3,
    unit: 'points',
    distances: (input) =>
      probed(input, (own, gold) => both(own.accuracy, gold.accuracy, (a, b) => Math.abs(a - b))),
  },
  {
    id: 'cka',
    label: '1 − CKA',
    about: "1 − linear CKA to gold's features on the forget set, in the worst layer",
    family: 'features',
    measures: 'forgetting',
    delta: 0.05,
    unit: '',
    distances: (input) => probed(input, (own) => mapped(own.cka.forget, (cka) => 1 - cka)),
  },
  featureDistance('forget'),
  featureDistance('retained'),
  {
    id: 'relearning',
    label: 'Relearning',
    about: 'distance of the anamnesis index from 1',
    family: 'features',
    measures: 'forgetting',
    delta: 0.25,
    unit: '',
    distances: relearned,
  },
]

type Distance = (seed: SeedPlan, candidate: Candidate, index: number) => Measured

/** Distances by row of the results and by seed. */
function table(input: ReportInput, distance: Distance): readonly (readonly Measured[])[] {
  const { plan } = input.run
  return rowsOf(plan).map((_, row) =>
    seedsOf(plan).map((seed, index) => {
      const candidate = rowsOf(seed)[row]
      return candidate ? distance(seed, candidate, index) : { missing: 'this seed has no such row' }
    }),
  )
}

function metric(input: ReportInput, name: MetricName): readonly (readonly Measured[])[] {
  const seeds = resultsBySeed(input)
  return rowsOf(input.run.plan).map((_, row) =>
    seeds.map((rows) => rows[row]?.metrics[name] ?? { missing: 'this seed has no such row' }),
  )
}

/** Mean absolute difference to gold of the named figures. */
function gaps(input: ReportInput, names: readonly (keyof GoldFigures)[]): readonly (readonly Measured[])[] {
  const gold = goldBySeed(input)
  const differences = names.map((name) =>
    metric(input, name).map((row) =>
      row.map((own, seed) =>
        both(own, gold[seed]?.[name] ?? { missing: 'gold has no figure' }, (a, b) => Math.abs(a - b)),
      ),
    ),
  )
  return rowsOf(input.run.plan).map((_, row) =>
    gold.map((_, seed) => mean(differences.map((rows) => rows[row]?.[seed] ?? { missing: 'no such row' }))),
  )
}

function uLiraAccuracies(input: ReportInput): readonly (readonly Measured[])[] | undefined {
  const { plan } = input.run
  const { population } = plan
  if (!population) return undefined
  const seeds = seedsOf(plan)
  return rowsOf(plan).map(({ label }) => {
    const stage = population.find((one) => one.label === label)?.stage
    if (!stage) return seeds.map(() => ({ missing: 'gold is not told from itself' }))
    const metrics = manifestOf<'population'>(input, stage)?.metrics
    if (!metrics) return seeds.map(() => ({ missing: `the stage "${stage.title}" did not finish` }))
    const { uLira, uLiraBySeed } = metrics
    if ('missing' in uLira) return seeds.map(() => ({ missing: uLira.missing }))
    return seeds.map((_, seed) => {
      const accuracy = uLiraBySeed?.[seed]
      return accuracy === undefined
        ? { missing: 'this population was computed by an older version' }
        : { value: accuracy - 50 }
    })
  })
}

/** On D_f an AUC of 0.5 is the ideal. On D_r an AUC above gold's was exposed by the unlearning. */
function shadowAttack(attack: ShadowAttack, label: string, set: ShadowedSet): Criterion {
  const name = attack === 'rmia' ? 'RMIA' : 'LiRA (online)'
  return {
    id: `${attack}-${set}`,
    label,
    about:
      set === 'forget'
        ? `distance from 0.5 of the AUC of ${name} on the forget set`
        : `AUC of ${name} on the retained set beyond gold's`,
    family: set,
    measures: set === 'forget' ? 'forgetting' : 'harm',
    delta: 0.05,
    unit: '',
    distances: (input) => {
      if (!input.run.plan.shadow) return undefined
      const auc = (judged: Pick<Candidate, 'membership'>): Measured => {
        const metrics = judged.membership && manifestOf<'membership'>(input, judged.membership)?.metrics
        return metrics?.sets[set].attacks[attack].auc ?? { missing: 'the attack did not finish' }
      }
      return table(input, ({ reference }, candidate) =>
        set === 'forget'
          ? mapped(auc(candidate), (value) => Math.abs(value - 0.5))
          : both(
              auc(candidate),
              reference ? auc(reference) : { missing: NO_GOLD },
              (own, gold) => own - gold,
            ),
      )
    },
  }
}

function vulnerableSamples(input: ReportInput): readonly (readonly Measured[])[] | undefined {
  if (!input.run.spec.ruli) return undefined
  return table(input, (_, { ruli }) => {
    const metrics = ruli && manifestOf<'ruli'>(input, ruli)?.metrics
    const auc = metrics?.samples.vulnerable.attacks.kernel.auc ?? { missing: 'the attack did not finish' }
    return mapped(auc, (value) => Math.abs(value - 0.5))
  })
}

function rankCorrelation(set: FeatureSet): Criterion {
  return {
    id: `rank-${set}`,
    label: `Rank D_${set[0] ?? ''}`,
    about: `1 − rank correlation of the margins with gold's ${setWords[set]}`,
    family: set,
    measures: set === 'forget' ? 'forgetting' : 'harm',
    delta: 0.05,
    unit: '',
    distances: (input) => agreements(input, set, 'rank', (rank) => 1 - rank),
  }
}

function varianceRatio(set: FeatureSet): Criterion {
  return {
    id: `variance-${set}`,
    label: `Variance D_${set[0] ?? ''}`,
    about: `absolute logarithm of the variance of the margins over gold's ${setWords[set]}`,
    family: set,
    measures: set === 'forget' ? 'forgetting' : 'harm',
    delta: 0.1,
    unit: '',
    distances: (input) => agreements(input, set, 'variance', (ratio) => Math.abs(Math.log(ratio))),
  }
}

function agreements(
  input: ReportInput,
  set: FeatureSet,
  name: 'rank' | 'variance',
  distance: (value: number) => number,
): readonly (readonly Measured[])[] | undefined {
  if (!input.run.spec.agreement) return undefined
  return table(input, (_, { agreement }) => {
    const metrics = agreement && manifestOf<'agreement'>(input, agreement)?.metrics
    const found = metrics?.[set][name] ?? { missing: 'the margins were not compared' }
    const value = mapped(found, distance)
    return 'value' in value && !Number.isFinite(value.value)
      ? { missing: 'all margins of the model are equal' }
      : value
  })
}

function featureDistance(set: FeatureSet): Criterion {
  return {
    id: `features-${set}`,
    label: `Features D_${set[0] ?? ''}`,
    about: `distance of the features to gold's ${setWords[set]} (Procrustes), in the worst layer`,
    family: 'features',
    measures: set === 'forget' ? 'forgetting' : 'harm',
    delta: 0.05,
    unit: '',
    distances: (input) => {
      if (!input.run.spec.features) return undefined
      return table(input, (_, { features }) => {
        const layers = features && manifestOf<'features'>(input, features)?.metrics.layers
        if (!layers) return { missing: 'the features were not compared' }
        return combined(
          layers.map(({ distance }) => distance[set]),
          (values) => Math.max(...values),
        )
      })
    },
  }
}

type Layer = StageMetrics['probe']['layers'][number]

/** The greatest distance over the layers. */
function probed(
  input: ReportInput,
  distance: (own: Layer, gold: Layer) => Measured,
): readonly (readonly Measured[])[] | undefined {
  if (!input.run.spec.probe) return undefined
  return table(input, ({ reference }, candidate) => {
    const [own, gold] = [candidate, reference].map(
      (judged) => judged?.probe && manifestOf<'probe'>(input, judged.probe)?.metrics.layers,
    )
    if (!own || !gold) return { missing: 'the features were not probed' }
    const distances = own.flatMap((layer) => {
      const other = gold.find(({ name }) => name === layer.name)
      return other ? [distance(layer, other)] : []
    })
    return combined(distances, (values) => Math.max(...values))
  })
}

function relearned(input: ReportInput): readonly (readonly Measured[])[] | undefined {
  if (!input.run.spec.relearn) return undefined
  const steps = (judged: Pick<Candidate, 'relearn'>): Measured => {
    const metrics = judged.relearn && manifestOf<'relearn'>(input, judged.relearn)?.metrics
    return metrics?.steps ?? { missing: 'relearning did not finish' }
  }
  return table(input, ({ reference }, candidate) =>
    mapped(anamnesisIndex(steps(candidate), reference ? steps(reference) : { missing: NO_GOLD }), (index) =>
      Math.abs(index - 1),
    ),
  )
}

function mapped(measured: Measured, change: (value: number) => number): Measured {
  return 'value' in measured ? { value: change(measured.value) } : { missing: measured.missing }
}

function both(one: Measured, other: Measured, combine: (one: number, other: number) => number): Measured {
  return combined([one, other], ([a = NaN, b = NaN]) => combine(a, b))
}

function mean(all: readonly Measured[]): Measured {
  return combined(all, (values) => values.reduce((sum, value) => sum + value, 0) / values.length)
}

/** Combines values. The result is missing if any value is, or if there are none. */
function combined(all: readonly Measured[], combine: (values: readonly number[]) => number): Measured {
  const missing = all.find((measured) => 'missing' in measured)
  if (missing) return missing
  const values = all.flatMap((measured) => ('value' in measured ? [measured.value] : []))
  return values.length > 0 ? { value: combine(values) } : { missing: 'there is nothing to compare' }
}
