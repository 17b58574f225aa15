import type { OutcomeSet } from '../../experiment/records/outcomes.ts'
import { heading, prose, type Block, type Chart, type Section } from '../blocks.ts'
import { shareHeat, type HeatCell } from '../charts/classes.ts'
import { percent } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { allTests, confusionOf, outcomeRows, readNote, type OutcomeRow } from './outcome-rows.ts'

/** Models with a heat map of their own. */
const MOST_MAPS = 6

/** What each model predicts: on forgotten samples, and on test samples by their class. */
export function confusionSection({ outcomes }: ReportInput): Section | undefined {
  if (!outcomes) return undefined
  const rows = outcomeRows(outcomes).filter(({ isFloor }) => !isFloor)
  const ordered = [...rows.filter(({ isGold }) => isGold), ...rows.filter(({ isGold }) => !isGold)]
  const drawn = ordered.slice(0, MOST_MAPS)
  const { classes } = outcomes
  const forget = forgetBlocks(rows, drawn, classes)
  const test = mapsOf(drawn, allTests, classes, 'test samples')
  if (forget.length === 0 && test.length === 0) return undefined
  const left = ordered.length - drawn.length
  return {
    title: 'Predicted classes',
    pageOnly: true,
    blocks: [
      prose(
        `Shares of the samples of a class by the class that a model predicts, in percent.${left > 0 ? ` Maps by class are those of gold and the first models; ${left} are left out.` : ''}`,
      ),
      ...forget,
      ...(test.length === 0
        ? []
        : [heading('Test samples'), { kind: 'charts' as const, size: 'panels' as const, charts: test }]),
      ...readNote(outcomes),
    ],
  }
}

/**
 * The predictions on D_f: one map with a row for each model if all of its samples are of one class,
 * and else a map for each model.
 */
function forgetBlocks(
  rows: readonly OutcomeRow[],
  drawn: readonly OutcomeRow[],
  classes: readonly string[],
): readonly Block[] {
  const maps = rows.flatMap((row) => {
    const confusion = confusionOf(row, ['forget'])
    return confusion ? [{ label: row.label, confusion }] : []
  })
  const present = classes.filter((_, y) => maps.some(({ confusion }) => sum(confusion[y] ?? []) > 0))
  const title = heading('The forget set D_f')
  if (present.length === 0) return []
  if (present.length > 1)
    return [
      title,
      { kind: 'charts', size: 'panels', charts: mapsOf(drawn, ['forget'], classes, 'forget samples') },
    ]
  const cells = maps.flatMap(({ label, confusion }): HeatCell[] => {
    const counts = classes.map((_, k) => confusion.reduce((total, row) => total + (row[k] ?? 0), 0))
    const all = sum(counts)
    return counts.map((count, k) => ({
      row: label,
      column: classes[k] ?? '',
      share: all > 0 ? count / all : 0,
    }))
  })
  const words = maps.map(({ label }) => {
    const own = cells.filter(({ row }) => row === label)
    const most = own.reduce((a, b) => (b.share > a.share ? b : a))
    return `${label} most often ${most.column} (${percent(100 * most.share)}%)`
  })
  return [
    title,
    {
      kind: 'charts',
      size: 'wide',
      charts: [
        {
          description: `Predicted classes of the forget samples, which are all of class ${present.join()}: ${words.join('; ')}.`,
          spec: shareHeat(
            cells,
            maps.map(({ label }) => label),
            classes,
            { row: null, column: 'predicted class' },
            // Few classes have room for their figures on a phone.
            classes.length > 10 ? 440 : 236,
          ),
        },
      ],
    },
  ]
}

/** A map of true and predicted classes for each model. */
function mapsOf(
  rows: readonly OutcomeRow[],
  sets: readonly OutcomeSet[],
  classes: readonly string[],
  what: string,
): readonly Chart[] {
  return rows.flatMap((row): Chart[] => {
    const confusion = confusionOf(row, sets)
    if (!confusion || confusion.every((counts) => sum(counts) === 0)) return []
    const cells = confusion.flatMap((counts, y) => {
      const all = sum(counts)
      return counts.map((count, k) => ({
        row: classes[y] ?? '',
        column: classes[k] ?? '',
        share: all > 0 ? count / all : 0,
      }))
    })
    const wrong = cells.filter((cell) => cell.row !== cell.column)
    const most = wrong.reduce<HeatCell | undefined>((a, b) => (a && a.share >= b.share ? a : b), undefined)
    return [
      {
        title: row.label,
        description: `${row.label}: predicted classes of ${what} by true class.${most && most.share > 0 ? ` Most often wrong: ${percent(100 * most.share)}% of ${most.row} as ${most.column}.` : ''}`,
        spec: shareHeat(cells, classes, classes, { row: 'true class', column: 'predicted class' }, 236),
      },
    ]
  })
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
