import type { Attempt, Evidence } from '../records/deletion.ts'
import { endsOf, type Figure, type ResultRow } from '../records/results.ts'
import { isExact } from '../spec/method-facts.ts'
import { acceptedFigures } from './accepted-figures.ts'
import type { LedgerSpec } from './spec.ts'

/**
 * The figures of an acceptance rule for one row of results. `floor` are the rows of the further
 * gold models.
 */
export function evidenceOf(
  accept: LedgerSpec['accept'],
  row: Pick<ResultRow, 'metrics'>,
  floor: readonly Pick<ResultRow, 'metrics'>[],
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
    const value = 'value' in own ? own.value : null
    const interval = endsOf(own)
    return [
      {
        figure,
        value,
        ...(interval && { interval: [interval[0], interval[1]] }),
        ...(ofFloor !== undefined && { floor: ofFloor }),
        limit: limit ?? 0,
        accepted: value !== null && limit !== undefined && value <= limit,
        ...(missing !== undefined && { missing }),
      },
    ]
  })
}

function meanOf(figures: readonly Figure[]): number | undefined {
  const values = figures.flatMap((figure) => ('value' in figure ? [figure.value] : []))
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined
}

/** The claim about the model of a method. */
export function claimOf(method: string): Attempt['claim'] {
  return method === 'retrain' ? 'retrained' : method === 'replay' ? 'replayed' : 'measured'
}

/** Whether a model is accepted: by construction, or since every figure of the rule is. */
export function isAccepted(method: string, evidence: readonly Evidence[]): boolean {
  return isExact(method) || (evidence.length > 0 && evidence.every(({ accepted }) => accepted))
}

/** Why no step of the ladder made a model that is accepted. */
export function refusalOf(attempts: readonly Attempt[]): string {
  const reasons = attempts.map(({ label, outcome, reason, evidence }) => {
    if (outcome === 'failed') return `${label} failed: ${reason ?? 'unknown'}`
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
