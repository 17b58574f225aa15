import { ranges } from '../../experiment/records/results.ts'
import { figureCell, prose, type Chart, type FullCell, type Section } from '../blocks.ts'
import { accuracyByClass, type ClassAccuracy } from '../charts/classes.ts'
import { percent, signed } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { overSeeds, valueOf } from '../over-seeds.ts'
import { modelTable } from './model-table.ts'
import { allTests, classAccuracies, outcomeRows, readNote, type OutcomeRow } from './outcome-rows.ts'

/** Classes in the table and the bars. If there are more, those that differ most from gold. */
const MOST_CLASSES = 12

/** Accuracy by class on test samples, against gold, as a table. */
export function classesSection(input: Pick<ReportInput, 'outcomes'>): Section | undefined {
  const found = classesOf(input)
  if (!found) return undefined
  const { outcomes, rows, gold, tested, shown, accuracyOf, differenceOf } = found
  const cellOf = (row: OutcomeRow, index: number): FullCell => {
    const apart = row === gold ? undefined : differenceOf(row, index)
    return {
      ...figureCell(accuracyOf(row, index), percent),
      beside: apart === undefined ? undefined : signed(apart),
    }
  }
  return {
    title: 'Accuracy by class',
    blocks: [
      prose(
        [
          'Accuracy in percent on the test samples of each class, those of forgotten classes with them.',
          gold ? ' The second figure is the difference to gold in points.' : '',
          shown.length < tested.length
            ? ` Of ${tested.length} classes, the ${shown.length} are shown on which some model is furthest from gold; outcomes.json has all.`
            : '',
        ].join(''),
      ),
      modelTable(
        'Accuracy by class',
        'classes',
        rows,
        shown.map((index) => ({
          label: outcomes.classes[index] ?? String(index),
          unit: '%',
          of: (row: OutcomeRow) => cellOf(row, index),
        })),
      ),
      ...readNote(outcomes),
    ],
  }
}

/** The same as bars. */
export function classBarsSection(input: ReportInput): Section | undefined {
  const found = classesOf(input)
  if (!found) return undefined
  const { outcomes, rows, gold, shown, accuracyOf } = found
  const forgotten = new Set(forgottenClasses(input))
  const colours = shown.map((index) => (forgotten.has(index) ? 'forget' : 'test'))
  const charts = rows.flatMap((row): Chart[] => {
    if (row.isFloor || row === gold) return []
    const classes = shown.flatMap((index): ClassAccuracy[] => {
      const own = valueOf(accuracyOf(row, index))
      const reference = gold && valueOf(accuracyOf(gold, index))
      const name = outcomes.classes[index] ?? String(index)
      return own === undefined ? [] : [{ name, own, ...(reference !== undefined && { gold: reference }) }]
    })
    if (classes.length === 0) return []
    const furthest = classes.reduce((a, b) => (apartOf(b) > apartOf(a) ? b : a))
    const words =
      furthest.gold === undefined
        ? ''
        : ` Furthest from gold is ${furthest.name}: ${percent(furthest.own)}%, gold ${percent(furthest.gold)}%.`
    return [
      {
        title: row.label,
        description: `${row.label}: accuracy by class on test samples.${words}`,
        spec: accuracyByClass(classes, colours),
      },
    ]
  })
  if (charts.length === 0) return undefined
  return {
    title: 'Accuracy by class, drawn',
    pageOnly: true,
    blocks: [
      prose([
        'Bars are the model',
        ...(forgotten.size > 0 ? [' (', { swatch: 'forget' }, 'forgotten classes)'] : []),
        ...(gold ? [', and the ', { swatch: 'line' }, 'lines are gold.'] : ['.']),
      ]),
      { kind: 'charts', size: 'panels', charts },
      ...readNote(outcomes),
    ],
  }
}

/** The accuracies by class, and the classes that are shown. */
function classesOf({ outcomes }: Pick<ReportInput, 'outcomes'>) {
  if (!outcomes) return undefined
  const rows = outcomeRows(outcomes)
  const gold = rows.find(({ isGold }) => isGold)
  const accuracyOf = (row: OutcomeRow, index: number) =>
    overSeeds(classAccuracies(row, allTests, index), ranges.percent)
  const differenceOf = (row: OutcomeRow, index: number) => {
    const [own, reference] = [valueOf(accuracyOf(row, index)), gold && valueOf(accuracyOf(gold, index))]
    return own === undefined || reference === undefined ? undefined : own - reference
  }
  const tested = outcomes.classes.flatMap((_, index) =>
    rows.some((row) => classAccuracies(row, allTests, index).some((one) => 'value' in one)) ? [index] : [],
  )
  if (tested.length === 0) return undefined
  const compared = rows.filter(({ isFloor }) => !isFloor)
  const shown = chosen(tested, (index) =>
    Math.max(0, ...compared.map((row) => Math.abs(differenceOf(row, index) ?? 0))),
  )
  return { outcomes, rows, gold, tested, shown, accuracyOf, differenceOf }
}

function apartOf({ own, gold = own }: ClassAccuracy): number {
  return Math.abs(own - gold)
}

function forgottenClasses({ run, manifests }: Pick<ReportInput, 'run' | 'manifests'>): readonly number[] {
  const split = manifests[run.plan.split.key]
  return split?.kind === 'split' ? split.metrics.forgottenClasses : []
}

/** The classes that are shown, in their order: those with the greatest weight. */
function chosen(classes: readonly number[], weightOf: (index: number) => number): readonly number[] {
  const weights = new Map(classes.map((index) => [index, weightOf(index)]))
  return classes
    .toSorted((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || a - b)
    .slice(0, MOST_CLASSES)
    .toSorted((a, b) => a - b)
}
