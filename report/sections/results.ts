import {
  shownMetrics,
  type Figure,
  type MetricName,
  type ResultRow,
  type Standing,
} from '../../experiment/records/results.ts'
import { figureCell, heading, prose, type Cell, type FullCell, type Section, type Table } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { figure, percent, signed } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { verdictMarks } from '../judgement/words.ts'
import { markAt, marksNotes, signs } from '../marks.ts'
import { floorRows, forgottenTest, goldFigures, valueOf } from '../results.ts'
import { metricColumn, metricLegend } from './metrics.ts'
import { modelTable } from './model-rows.ts'

/** The table of all figures: gold, the models that are compared with it, and the floor. */
export function resultsSection(input: ReportInput, rows: readonly ResultRow[]): Section {
  const { plan, spec } = input.run
  const names = shownMetrics(spec)
  const several = describeSeeds(spec)
  const seeds =
    several === undefined
      ? ''
      : ` ${several}: each figure is the mean over the seeds, with its interval (± half of it, or both ends where it is not symmetric); each seed is compared with a gold model of its own.`
  const best = rows.some(({ standing }) => standing?.isAmongBest)
    ? ' Rows are highlighted where no method is closer to gold by the tests.'
    : ''
  const forgotten = forgottenTest(input)
  return {
    title: 'Results',
    blocks: [
      prose(
        plan.gold.length === 0
          ? `${NO_GOLD_INTRODUCTION}${seeds}`
          : `Each figure is read against gold, the model that was trained from scratch without the forget set: the closer, the better, whichever way it differs. The second figure, with a sign, is the difference to gold in points.${best}${seeds}`,
      ),
      resultsTable(rows, names, {
        ...(plan.gold.length > 0 && { gold: goldFigures(input) }),
        floor: floorRows(plan, rows),
      }),
      metricLegend(names),
      ...(forgotten.length === 0
        ? []
        : [
            heading('Test samples of the forgotten classes'),
            prose('Accuracy on them, in percent. TA leaves them out.'),
            modelTable(
              'Test samples of the forgotten classes',
              'forgotten',
              forgotten.map((row, i) => ({ ...row, isFloor: i >= plan.candidates.length })),
              [{ label: 'Accuracy', unit: '%', of: ({ accuracy }) => figureCell(accuracy, percent) }],
            ),
          ]),
    ],
  }
}

const NO_GOLD_INTRODUCTION =
  'There is no gold model (gold: none), so nothing says which figures a model has that never saw the forget set. Figures that need gold are missing; the others are those of each model by itself.'

interface ResultsOptions {
  readonly floor: readonly ResultRow[]
  /** Gold's own figures, to which differences are shown. */
  readonly gold?: Partial<Readonly<Record<MetricName, Figure>>>
  /** Verdicts are signs behind the labels, for tables of little width. */
  readonly isNarrow?: boolean
}

/** Rows of results as a table with the named metrics. */
export function resultsTable(
  rows: readonly ResultRow[],
  names: readonly MetricName[],
  { floor, gold, isNarrow = false }: ResultsOptions,
): Table {
  const cellOf = (row: ResultRow, name: MetricName): FullCell => {
    const own = row.metrics[name]
    const reference = gold?.[name] && valueOf(gold[name])
    return {
      ...figureCell(own, (value) => figure(name, value)),
      mark: 'value' in own ? markAt(row, name) : undefined,
      beside: 'value' in own && reference !== undefined ? signed(own.value - reference) : undefined,
      tone: name === 'mia' && row.attackAtChance ? 'faint' : undefined,
    }
  }
  const goldRow = {
    cells: [
      'gold',
      ...names.map((name): Cell =>
        gold?.[name] ? figureCell(gold[name], (value) => figure(name, value)) : '–',
      ),
    ],
  }
  return {
    kind: 'table',
    name: 'Results',
    id: 'results',
    columns: [{ label: 'Model' }, ...names.map(metricColumn)],
    rows: [
      ...(gold && rows.every((row) => row.method !== 'retrain' || floor.includes(row)) ? [goldRow] : []),
      ...rows.map((row) => ({
        cells: [labelCell(row, isNarrow), ...names.map((name) => cellOf(row, name))],
        style: floor.includes(row)
          ? ('floor' as const)
          : row.standing?.isAmongBest
            ? ('best' as const)
            : undefined,
      })),
    ],
    floorTitle: 'The floor: two gold models of different seeds differ by this much',
    notes: marksNotes(rows),
    ...(gold && { besideTitle: 'difference to gold' }),
  }
}

function labelCell(
  { label, collapsed, untuned, external, standing }: ResultRow,
  isNarrow: boolean,
): FullCell {
  const sign = standing && `${verdictMarks[standing.verdict]}${standing.isAmongBest ? '*' : ''}`
  const marks = [
    ...(collapsed ? [signs.collapsed] : []),
    ...(untuned ? [signs.untuned] : []),
    ...(external ? [signs.external] : []),
    ...(isNarrow && sign ? [sign] : []),
  ]
  return {
    text: label,
    mark: marks.length > 0 ? marks.join(' ') : undefined,
    small: standing && !isNarrow ? standingWords(standing) : undefined,
  }
}

function standingWords({ verdict, isAmongBest }: Standing): string {
  const words = {
    distinguishable: 'told from gold',
    equivalent: 'equivalent within δ',
    undecided: 'undecided',
  }
  return isAmongBest ? `${words[verdict]}; none closer` : words[verdict]
}
