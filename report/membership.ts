import type {
  Estimate,
  Measured,
  ShadowAttack,
  ShadowedSet,
  ShadowFigure,
  StageMetrics,
} from '../experiment/records/manifest.ts'
import { ranges, type Figure } from '../experiment/records/results.ts'
import { percent, significant } from './format.ts'
import { judgedRows, makersOf, type JudgedRow } from './judged-rows.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './results.ts'

export type MembershipRow = JudgedRow<StageMetrics['membership'] | { readonly missing: string }>

/** undefined: nothing was asked for. Of gold, the ideal. */
export function membershipRows(input: ReportInput): readonly MembershipRow[] | undefined {
  const { shadow } = input.run.plan
  if (!shadow) return undefined
  return judgedRows(input, (seed, judged) => {
    const { evaluate, membership } = judged
    const finished = membership && manifestOf<'membership'>(input, membership)
    if (finished) return finished.metrics
    const { models, pool } = shadow
    const needed = [...makersOf(seed, judged), evaluate, ...models, pool, ...(membership ? [membership] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** A row's figure: the AUC in [0, 1], true-positive rates in percent. Over several seeds it is their mean. */
export function shadowFigure(
  { seeds }: MembershipRow,
  set: ShadowedSet,
  attack: ShadowAttack,
  name: ShadowFigure,
): { readonly figure: Figure; readonly interval?: readonly [low: number, high: number] } {
  const estimates = seeds.map((one): Estimate =>
    'missing' in one ? one : one.sets[set].attacks[attack][name],
  )
  const scale = name === 'auc' ? 1 : 100
  const figure = overSeeds(
    estimates.map((one): Measured => ('value' in one ? { value: scale * one.value } : one)),
    name === 'auc' ? ranges.share : ranges.percent,
  )
  const [only] = estimates
  // The interval of the one attack; of several seeds, that of the mean says more.
  if (estimates.length > 1 || !only || 'missing' in only || !only.interval) return { figure }
  const [low, high] = only.interval
  return { figure, interval: [scale * low, scale * high] }
}

export const shadowColumns: Readonly<
  Record<ShadowFigure, { readonly label: string; readonly write: (value: number) => string }>
> = {
  auc: { label: 'AUC', write: significant },
  tprAt1: { label: 'TPR at 1%', write: percent },
  tprAt01: { label: 'at 0.1%', write: percent },
}

export const shadowAttackLabels: Readonly<Record<ShadowAttack, string>> = {
  lira: 'LiRA, online',
  liraOffline: 'LiRA, offline',
  rmia: 'RMIA',
}

/** Of how many samples of each kind the attacks on a set were; undefined where none finished. */
export function shadowedSamples(
  rows: readonly MembershipRow[],
  set: ShadowedSet,
): { readonly members: number; readonly nonMembers: number } | undefined {
  return rows.flatMap(({ seeds }) => seeds).find((one) => 'sets' in one)?.sets[set]
}

/** What few shadow models mean for the figures; nothing of many. */
export function fewShadows(models: number, rows: readonly MembershipRow[]): string | undefined {
  const variance = rows.flatMap(({ seeds }) => seeds).find((one) => 'variance' in one)?.variance
  if (models >= LEAST_SHADOWS && variance !== 'pooled') return undefined
  const few = `Each sample has ${models / 2} shadow models that trained on it and ${models / 2} that did not`
  const pooled = 'LiRA takes one variance for all samples, as Carlini et al. (2022) do with few models'
  return models < LEAST_SHADOWS
    ? `${few}, which is few: ${pooled}, and with more shadow models these attacks would find more.`
    : `${few}: ${pooled}.`
}

/** 16 of each kind. */
const LEAST_SHADOWS = 32
