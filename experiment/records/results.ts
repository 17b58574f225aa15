import type { Interval, Range } from '../../common/interval.ts'
import type { DataSpec } from '../spec/data.ts'

/**
 * A figure of a row: of the only seed, or the mean over the seeds that have it, or the reason why
 * there is none.
 */
export type Figure =
  | {
      readonly value: number
      /** The number of seeds that have the figure. Present if there are several seeds. */
      readonly n?: number
      /**
       * Half the width of the 95% interval of the mean. Present if at least two seeds have the
       * figure.
       */
      readonly interval?: number
      /**
       * Both ends of the interval. Replaces `interval` if a symmetric interval would leave the
       * figure's range.
       */
      readonly between?: Interval
      /** The seeds without the figure, counted from 1. */
      readonly leftOut?: readonly { readonly seed: number; readonly reason: string }[]
    }
  | { readonly missing: string }

/** Both ends of a figure's 95% interval. Undefined if it has none. */
export function endsOf(figure: Figure): Interval | undefined {
  if ('missing' in figure) return undefined
  const { value, interval, between } = figure
  return between ?? (interval === undefined ? undefined : [value - interval, value + interval])
}

/**
 * The ranges of percentages and of their absolute differences, of shares, of distances between
 * probabilities, and of times.
 */
export const ranges = {
  percent: [0, 100],
  share: [0, 1],
  distance: [0, Math.SQRT2],
  positive: [0, Infinity],
} as const satisfies Readonly<Record<string, Range>>

/** The figures of a row of the results table, in the order of the table. */
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

/** The figures that tables show. Without validation samples no row has a validation gap. */
export function shownMetrics({ data }: { readonly data: DataSpec }): readonly MetricName[] {
  const names = Object.keys(metricColumns) as MetricName[]
  return data.validation > 0 ? names : names.filter((name) => name !== 'validationGap')
}

export interface ResultRow extends RowMarks {
  readonly label: string
  readonly method: string
  readonly metrics: Readonly<Record<MetricName, Figure>>
  /** Absent if no tests were made, and for the original and the gold models. */
  readonly standing?: Standing
}

/**
 * The verdict on a method by statistical tests against another gold model (report/judgement/). The
 * criterion with the worst outcome decides.
 */
export type MethodVerdict = 'distinguishable' | 'equivalent' | 'undecided'

export interface Standing {
  readonly verdict: MethodVerdict
  /** Whether the tests show no other method to be closer to gold. */
  readonly isAmongBest: boolean
}

/**
 * Reasons to distrust figures of a row. Absent if they do not apply, and in results of older
 * versions.
 */
export interface RowMarks {
  /** The attack behind MIA is not better than chance. */
  readonly attackAtChance?: true
  /** The number of seeds in which the model is not better than chance on the retained set. */
  readonly collapsed?: number
  /** The machine did other work while the model or its gold model was timed. */
  readonly timesOverlapped?: true
  /** The method has its options as written, while those of other rows were tuned. */
  readonly untuned?: true
  /** An external program computed the model. */
  readonly external?: true
}
