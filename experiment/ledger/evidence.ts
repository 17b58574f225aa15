import type { Attempt, Evidence } from '../records/deletion.ts'
import { isToldApart, meetsRule } from '../records/acceptance.ts'
import { endsOf, type Figure, type ResultRow } from '../records/results.ts'
import { isExact } from '../spec/method-facts.ts'
import { acceptedFigures } from './accepted-figures.ts'
import type { LedgerSpec } from './spec.ts'

type Figures = Pick<ResultRow, 'metrics'>

/**
 * The figures of an acceptance rule for one row of results. `floor` are the rows of the further
 * gold models. `before` is the row of the model in use, from which an approximate method starts.
 */
export function evidenceOf(
  accept: LedgerSpec['accept'],
  row: Figures,
  floor: readonly Figures[],
  before?: Figures,
): Evidence[] {
  return acceptedFigures.flatMap((figure): Evidence[] => {
    const rule = accept[figure]
    if (!rule) return []
    const own = row.metrics[figure]
    const ofFloor = meanOf(floor.map(({ metrics }) => metrics[figure]))
    const limit =
      typeof rule.atMost === 'number'
        ? rule.atMost
        : ofFloor === undefined
          ? undefined
          : rule.atMost.floor * ofFloor
    const missing =
      'missing' in own
        ? own.missing
        : limit === undefined
          ? 'the figure of the second gold model, which the limit depends on, is missing'
          : undefined
    const { value, interval } = measuredOf(own)
    return [
      {
        figure,
        value,
        ...(interval && { interval }),
        ...(ofFloor !== undefined && { floor: ofFloor }),
        ...(before && { before: measuredOf(before.metrics[figure]) }),
        limit: limit ?? 0,
        accepted: value !== null && limit !== undefined && value <= limit,
        ...(missing !== undefined && { missing }),
      },
    ]
  })
}

/** A figure with its interval, or the reason why it is missing. */
function measuredOf(figure: Figure): NonNullable<Evidence['before']> {
  if (!('value' in figure)) return { value: null, missing: figure.missing }
  const interval = endsOf(figure)
  return { value: figure.value, ...(interval && { interval: [interval[0], interval[1]] }) }
}

function meanOf(figures: readonly Figure[]): number | undefined {
  const values = figures.flatMap((figure) => ('value' in figure ? [figure.value] : []))
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined
}

/** The claim about the model of a method. */
export function claimOf(method: string): Attempt['claim'] {
  return method === 'retrain' ? 'retrained' : method === 'replay' ? 'replayed' : 'measured'
}

/** Whether a model is accepted, and the reason of a miss that no limit explains. */
export interface Judgement {
  readonly outcome: 'accepted' | 'missed'
  readonly reason?: string
}

/**
 * A model is accepted by construction, or if every figure of the rule is within its limit and the
 * model in use before is not within all of them. Otherwise the figures would be no evidence that
 * anything was forgotten.
 */
export function judgementOf(method: string, evidence: readonly Evidence[]): Judgement {
  if (isExact(method)) return { outcome: 'accepted' }
  if (!meetsRule(evidence)) return { outcome: 'missed' }
  return isToldApart(evidence)
    ? { outcome: 'accepted' }
    : { outcome: 'missed', reason: notToldApart(evidence) }
}

/** Why evidence that meets the rule does not show that anything was forgotten. */
function notToldApart(evidence: readonly Evidence[]): string {
  const missing = evidence.flatMap(({ figure, before }) =>
    typeof before?.value === 'number' ? [] : [`${figure}: ${before?.missing ?? 'not measured'}`],
  )
  return missing.length === 0
    ? 'the model in use before meets the rule as well, so that the figures do not show that anything was forgotten'
    : `no figure of the model in use before is known to be above its limit (missing are ${missing.join('; ')}), so that the figures do not show that anything was forgotten`
}

/** Why no step of the ladder made a model that is accepted. */
export function refusalOf(attempts: readonly Attempt[]): string {
  const reasons = attempts.map(({ label, outcome, reason, evidence }) => {
    if (outcome === 'failed') return `${label} failed: ${reason ?? 'unknown'}`
    if (reason !== undefined) return `${label} was not accepted: ${reason}`
    const misses = evidence.filter(({ accepted }) => !accepted).map(missText)
    return `${label} missed ${misses.join(' and ')}`
  })
  return `no step of the ladder is left: ${reasons.join('; ')}`
}

function missText({ figure, value, limit, missing }: Evidence): string {
  return missing === undefined && value !== null
    ? `${figure} (${shown(value)}, at most ${shown(limit)})`
    : `${figure} (${missing ?? 'missing'})`
}

/** Four significant digits. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)))
