import type { Interval, Range } from '../../common/interval.ts'
import type { Spec } from '../spec/spec.ts'

/** A row's figure: of the one seed, or the mean over the seeds that have it; or the reason why there is none. */
export type Figure =
  | {
      readonly value: number
      /** Of several seeds: how many have it. */
      readonly n?: number
      /** Of at least two: half of the mean's 95% interval. */
      readonly interval?: number
      /** Instead of it, where a symmetric interval would leave the figure's range: both ends. */
      readonly between?: Interval
      /** The seeds without it, counted from 1. */
      readonly leftOut?: readonly { readonly seed: number; readonly reason: string }[]
    }
  | { readonly missing: string }

/** Both ends of a figure's 95% interval; undefined where it has none. */
export function endsOf(figure: Figure): Interval | undefined {
  if ('missing' in figure) return undefined
  const { value, interval, between } = figure
  return between ?? (interval === undefined ? undefined : [value - interval, value + interval])
}

/**
 * What percentages and their absolute differences, shares, distances of probabilities, and times
 * can be.
 */
export const ranges = {
  percent: [0, 100],
  share: [0, 1],
  distance: [0, Math.SQRT2],
  positive: [0, Infinity],
} as const satisfies Readonly<Record<string, Range>>

/** The figures of one row of the results table, in the order in which tables show them. */
export const metricColumns = {
  ra: { label: 'RA', range: ranges.percent, unit: '%', about: 'accuracy on the retained set' },
  ua: { label: 'UA', range: ranges.percent, unit: '%', about: '100 − accuracy on the forget set' },
  ta: {
    label: 'TA',
    range: ranges.percent,
    unit: '%',
    about: 'accuracy on the test set, without forgotten classes',
  },
  mia: {
    label: 'MIA',
    range: ranges.percent,
    unit: '%',
    about: 'forget samples that the attack calls non-members',
  },
  averageGap: {
    label: 'Avg. gap',
    range: ranges.percent,
    unit: 'points',
    about: 'mean absolute difference to gold of UA, RA, TA and MIA',
  },
  gapWithoutMia: {
    label: 'Gap w/o MIA',
    range: ranges.percent,
    unit: 'points',
    about: 'mean absolute difference to gold of UA, RA and TA: what it says does not depend on an attack',
  },
  tow: { label: 'ToW', range: ranges.share, unit: '', about: 'tug of war: 1 is gold' },
  activationForget: {
    label: 'AD D_f',
    range: ranges.distance,
    unit: '',
    about: 'activation distance to gold on the forget set',
  },
  activationRetained: {
    label: 'AD D_r',
    range: ranges.distance,
    unit: '',
    about: 'activation distance to gold on the retained set',
  },
  jsDivergence: {
    label: 'JS',
    range: ranges.share,
    unit: 'bits',
    about: 'Jensen-Shannon divergence to gold on the forget set',
  },
  zrf: {
    label: 'ZRF',
    range: ranges.share,
    unit: '',
    about: "1 − JS to an untrained twin on the forget set, to compare with gold's",
  },
  validationGap: {
    label: 'Val. gap',
    range: ranges.percent,
    unit: 'points',
    about:
      'how far it is from the original on what stays, and on the forget set from unseen samples: to choose options by',
  },
  rte: {
    label: 'RTE',
    range: ranges.positive,
    unit: '× retrain',
    about: "wall seconds of the unlearning over retrain's",
  },
} as const

export type MetricName = keyof typeof metricColumns

/** Those that tables show: without validation samples no row has a validation gap. */
export function shownMetrics({ data }: Spec): readonly MetricName[] {
  const names = Object.keys(metricColumns) as MetricName[]
  return data.validation > 0 ? names : names.filter((name) => name !== 'validationGap')
}

export interface ResultRow extends RowMarks {
  readonly label: string
  readonly method: string
  readonly metrics: Readonly<Record<MetricName, Figure>>
  /** Absent where nothing was tested, and of the original and the gold models. */
  readonly standing?: Standing
}

/** Of a method, what tests beside another gold model say (report/judgement/); its worst criterion decides. */
export type MethodVerdict = 'distinguishable' | 'equivalent' | 'undecided'

export interface Standing {
  readonly verdict: MethodVerdict
  /** Whether no other method is closer to gold by the tests. */
  readonly isAmongBest: boolean
}

/** Why figures of a row say little. Absent where they do not, and in results of older versions. */
export interface RowMarks {
  /** The attack behind MIA is right about as often as a coin toss. */
  readonly attackAtChance?: true
  /** In how many seeds the model is not better than chance on the retained set. */
  readonly collapsed?: number
  /** The machine did other work while the model, or its gold model, was timed. */
  readonly timesOverlapped?: true
}
