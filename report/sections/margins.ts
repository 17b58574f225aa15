import { prose, type Chart, type Section } from '../blocks.ts'
import { marginHistogram, marginRange } from '../charts/margins.ts'
import { significant } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { known, outcomeRows, readNote } from './outcome-rows.ts'

/** Margins of the forget samples under each model, with those under gold. */
export function marginsSection({ outcomes }: Pick<ReportInput, 'outcomes'>): Section | undefined {
  if (!outcomes) return undefined
  const rows = outcomeRows(outcomes)
    .filter(({ isFloor }) => !isFloor)
    .map((row) => ({ ...row, margins: known(row).flatMap(({ forgetMargins }) => forgetMargins) }))
  const gold = rows.find(({ isGold }) => isGold)?.margins ?? []
  const range = marginRange(rows.flatMap(({ margins }) => margins))
  const charts = rows.flatMap(({ label, isGold, margins }): Chart[] =>
    isGold || margins.length === 0 || !range
      ? []
      : [
          {
            title: label,
            description: `${label}: shares of the forget samples by margin, with a median of ${significant(median(margins))} nats${gold.length > 0 ? `; that of gold is ${significant(median(gold))}` : ''}.`,
            spec: marginHistogram(margins, gold, range),
          },
        ],
  )
  if (charts.length === 0) return undefined
  const several = outcomes.read > 1 ? ', of all seeds together' : ''
  return {
    title: 'Margins of the forget set',
    pageOnly: true,
    blocks: [
      prose([
        `Shares of the samples of D_f by φ = log(p_y / (1 − p_y))${several}: above 0 the true class is more probable than all others together. The `,
        { swatch: 'forget' },
        gold.length > 0 ? 'bars are the model, the ' : 'bars are the model.',
        ...(gold.length > 0
          ? [{ swatch: 'line' }, 'line is gold: a model that has forgotten agrees with it.']
          : []),
      ]),
      { kind: 'charts', size: 'panels', charts },
      ...readNote(outcomes),
    ],
  }
}

/** The middle value, or the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2
}
