import { attackFigure } from '../attack-figure.ts'
import { figureCell, prose, type Section } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { significant } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { modelTable } from './model-table.ts'
import { areasOf, readNote, type OutcomeRow } from './outcome-rows.ts'
import { attackedRows, attackName, nonMembersOf } from './roc.ts'

/** The areas below the ROC curves of attacks on D_f, as a table. */
export function areasSection({ outcomes, run }: ReportInput): Section | undefined {
  const found = outcomes && attackedRows(outcomes)
  if (!found) return undefined
  const { rows, attacks } = found
  const seeds = describeSeeds(run.spec)
  return {
    title: 'Areas below the ROC curves',
    blocks: [
      prose(
        `Each attack ranks samples by one number: the area is the probability that it ranks a sample of D_f above one of the ${nonMembersOf(outcomes)}, which no model saw. 0.5 is chance. What is above gold's is still remembered, and what is below it is forgotten too much. ${seeds === undefined ? 'Each figure has its 95% interval.' : `${seeds}.`}`,
      ),
      modelTable(
        'Areas below the ROC curves',
        'areas',
        rows,
        attacks.map((attack) => ({
          label: attackName(attack),
          unit: 'AUC',
          of: (row: OutcomeRow) => figureCell(attackFigure(areasOf(row, attack), 'share'), significant),
        })),
      ),
      ...readNote(outcomes),
    ],
  }
}
