import type { Spec } from './spec.ts'

/** A row's figure: of the one seed, or the mean over the seeds that have it; or the reason why there is none. */
export type Figure =
  | {
      readonly value: number
      /** Of several seeds: how many have it. */
      readonly n?: number
      /** Of at least two: half of the mean's 95% interval. */
      readonly interval?: number
      /** The seeds without it, counted from 1. */
      readonly leftOut?: readonly { readonly seed: number; readonly reason: string }[]
    }
  | { readonly missing: string }

/** The figures of one row of the results table, in the order in which tables show them. */
export const metricColumns = {
  ra: { label: 'RA', unit: '%', about: 'accuracy on the retained set' },
  ua: { label: 'UA', unit: '%', about: '100 − accuracy on the forget set' },
  ta: { label: 'TA', unit: '%', about: 'accuracy on the test set, without forgotten classes' },
  mia: { label: 'MIA', unit: '%', about: 'forget samples that the attack calls non-members' },
  averageGap: {
    label: 'Avg. gap',
    unit: 'points',
    about: 'mean absolute difference to gold of UA, RA, TA and MIA',
  },
  gapWithoutMia: {
    label: 'Gap w/o MIA',
    unit: 'points',
    about: 'mean absolute difference to gold of UA, RA and TA: what it says does not depend on an attack',
  },
  tow: { label: 'ToW', unit: '', about: 'tug of war: 1 is gold' },
  activationForget: { label: 'AD D_f', unit: '', about: 'activation distance to gold on the forget set' },
  activationRetained: { label: 'AD D_r', unit: '', about: 'activation distance to gold on the retained set' },
  jsDivergence: { label: 'JS', unit: 'bits', about: 'Jensen-Shannon divergence to gold on the forget set' },
  zrf: {
    label: 'ZRF',
    unit: '',
    about: "1 − JS to an untrained twin on the forget set, to compare with gold's",
  },
  validationGap: {
    label: 'Val. gap',
    unit: 'points',
    about:
      'how far it is from the original on what stays, and on the forget set from unseen samples: to choose options by',
  },
  rte: { label: 'RTE', unit: '× retrain', about: "wall seconds of the unlearning over retrain's" },
} as const

export type MetricName = keyof typeof metricColumns

/** Those that tables show: without validation samples no row has a validation gap. */
export function shownMetrics({ data }: Spec): readonly MetricName[] {
  const names = Object.keys(metricColumns) as MetricName[]
  return data.validation > 0 ? names : names.filter((name) => name !== 'validationGap')
}

export interface ResultRow {
  readonly label: string
  readonly method: string
  readonly metrics: Readonly<Record<MetricName, Figure>>
}
