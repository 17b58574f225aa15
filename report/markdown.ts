import { shadowAttacks, shadowedSets, shadowFigures, type Estimate } from '../experiment/records/manifest.ts'
import {
  metricColumns,
  shownMetrics,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../experiment/records/results.ts'
import { commandOf } from './command.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import { describeChangedCode, describeSeeds } from './describe.ts'
import { footnotes, type Footnotes } from './footnotes.ts'
import { counted, figure, percent, signed, significant, withInterval, withoutSeeds } from './format.ts'
import {
  fewShadows,
  membershipRows,
  shadowAttackLabels,
  shadowColumns,
  shadowedSamples,
  shadowFigure,
} from './membership.ts'
import { markAt, marksNotes, signs } from './marks.ts'
import { escaped, fenced } from './markdown-text.ts'
import { checkOracle } from './oracle.ts'
import { populationNotes } from './population.ts'
import { probedLayers, probeFigure, probeFigures, probeRows, probeTables } from './probe.ts'
import { relearnColumns, relearnFigure, relearnFigures, relearnRows } from './relearn.ts'
import {
  floorRows,
  forgottenTest,
  goldFigures,
  manifestOf,
  valueOf,
  whyMissing,
  type ReportInput,
} from './results.ts'
import type { Judgement } from './judgement/judge.ts'
import { deltaOf, judgementTable } from './judgement/table.ts'
import { marks, method, shortVerdict } from './judgement/words.ts'
import { verdict } from './verdict.ts'

/** The report for GitHub: verdict, table, command and digest. */
export function renderMarkdown(
  input: ReportInput,
  rows: readonly ResultRow[],
  judgement: Judgement,
  digest: string,
): string {
  const { run } = input
  const names = shownMetrics(run.spec)
  const oracle = checkOracle(input)
  const changedCode = describeChangedCode(stagesOf(run.plan))
  const { headline, details } = verdict(input, rows, judgement)
  const notes = footnotes()
  const seeds = describeSeeds(run.spec)
  const floor = floorRows(run.plan, rows)
  const gold: Partial<ResultRow['metrics']> = goldFigures(input)

  const header = ['', ...names.map((name) => metricColumns[name].label)]
  const body = rows.map((row) => {
    const label = escaped(row.label)
    const cells = names.map((name) => {
      const measured = row.metrics[name]
      if ('missing' in measured) return `n/a[^${notes.number(measured.missing)}]`
      const reference = gold[name] && valueOf(gold[name])
      const difference = reference === undefined ? '' : ` (${signed(measured.value - reference)})`
      const left = withoutSeeds(measured)
      const note = left === undefined ? '' : `[^${notes.number(left)}]`
      return `${withInterval(measured, (value) => figure(name, value))}${markAt(row, name)}${difference}${note}`
    })
    const isBest = row.standing?.isAmongBest
    const named = floor.includes(row) ? `*floor: ${label}*` : isBest ? `**${label}**` : label
    return [row.collapsed ? `${named} ${signs.collapsed}` : named, ...cells]
  })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const ruler = ['---', ...names.map(() => '---:')]

  const blocks = [
    `# ${escaped(run.spec.name)}`,
    ...(oracle.passed === false ? [`> [!CAUTION]\n> ${escaped(oracle.message)}`] : []),
    ...(oracle.passed === undefined ? [`> [!WARNING]\n> ${escaped(oracle.message)}`] : []),
    ...(changedCode === undefined ? [] : [`> [!NOTE]\n> ${escaped(changedCode)}.`]),
    `**${escaped(headline)}**`,
    ...(details.length > 0 ? [details.map((words) => `- ${escaped(words)}`).join('\n')] : []),
    [header, ruler, ...body].map(line).join('\n'),
    `${seeds === undefined ? '' : `${escaped(seeds)}. `}In brackets with a sign: points above or below gold${seeds === undefined ? '' : '; with two numbers: the ends of an interval that is not symmetric'}.${rows.some(({ standing }) => standing?.isAmongBest) ? ' In bold: methods than which none is closer to gold by the tests.' : ''}`,
    `${names.map((name) => `**${escaped(metricColumns[name].label)}**${unit(name)}: ${escaped(metricColumns[name].about)}`).join('; ')}.`,
    ...marksNotes(rows).map(escaped),
    ...(oracle.passed === true ? [escaped(oracle.message)] : []),
    ...judgements(input, judgement, notes),
    ...forgottenClasses(input),
    ...memberships(input, notes),
    ...populations(input, notes),
    ...relearning(input, notes),
    ...probes(input, notes),
    'To reproduce:',
    fenced(commandOf(run), 'sh'),
    `Run ${escaped(run.id)}. SHA-256 of what was computed: \`${digest}\`.`,
    ...notes.all().map((reason, i) => `[^${i + 1}]: ${escaped(reason)}`),
  ]
  return `${blocks.join('\n\n')}\n`
}

function judgements(input: ReportInput, judgement: Judgement, notes: Footnotes): string[] {
  const table = judgementTable(judgement)
  if (!table) return []
  const header = ['', 'Verdict', 'Worst (δ)', ...table.columns.map(({ label }) => label)]
  const body = table.rows.map(({ label, verdict, isAmongBest, worst, cells }) => [
    isAmongBest ? `**${escaped(label)}**` : escaped(label),
    shortVerdict(verdict),
    worst === undefined ? 'n/a' : significant(worst),
    ...cells.map((cell) =>
      'missing' in cell
        ? `n/a[^${notes.number(cell.missing)}]`
        : `${marks[cell.outcome]} ${cell.mean} (${cell.interval})`,
    ),
  ])
  const ruler = ['---', '---', ...header.slice(2).map(() => '---:')]
  const legend = table.columns.map(
    (criterion) => `**${escaped(criterion.label)}** (${deltaOf(criterion)}): ${escaped(criterion.about)}`,
  )
  return [
    '## Against another gold model',
    [header.map(escaped), ruler, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    escaped(method(judgement, input)),
    `${legend.join('; ')}.`,
  ]
}

function forgottenClasses(input: ReportInput): string[] {
  const models = forgottenTest(input)
  if (models.length === 0) return []
  const figures = models.map(
    ({ label, accuracy }) =>
      `${escaped(label)} ${'value' in accuracy ? withInterval(accuracy, percent) : 'n/a'}`,
  )
  return [
    `Accuracy (%) on the test samples of the forgotten classes, which TA leaves out: ${figures.join('; ')}.`,
  ]
}

function memberships(input: ReportInput, notes: Footnotes): string[] {
  const rows = membershipRows(input)
  const models = input.run.plan.shadow?.models.length
  if (!rows || models === undefined) return []
  const columns = shadowAttacks.flatMap((attack) => shadowFigures.map((name) => ({ attack, name })))
  const header = [
    '',
    ...columns.map(({ attack, name }) => `${shadowAttackLabels[attack]}: ${shadowColumns[name].label}`),
  ]
  const ruler = ['---', ...columns.map(() => '---:')]
  const few = fewShadows(models, rows)
  return [
    ...shadowedSets.flatMap((set) => {
      const body = rows.map((row) => [
        row.isFloor ? `*floor: ${escaped(row.label)}*` : escaped(row.label),
        ...columns.map(({ attack, name }) => {
          const { figure, interval } = shadowFigure(row, set, attack, name)
          if ('missing' in figure) return `n/a[^${notes.number(figure.missing)}]`
          const { write } = shadowColumns[name]
          const left = withoutSeeds(figure)
          const between = interval ? ` (${interval.map(write).join(' – ')})` : ''
          return `${withInterval(figure, write)}${between}${left === undefined ? '' : `[^${notes.number(left)}]`}`
        }),
      ])
      const samples = shadowedSamples(rows, set)
      const sizes = samples
        ? ` (${counted(samples.members, 'sample')} against ${counted(samples.nonMembers, 'test sample')})`
        : ''
      return [
        `Membership inference on the ${set === 'forget' ? 'forget' : 'retained'} set by ${models} shadow models${sizes}:`,
        [header.map(escaped), ruler, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
      ]
    }),
    `**AUC**: the probability that a sample of the set ranks above a test sample that the model never saw, 0.5 is chance; **TPR** (%): the share of the set that is found where 1% or 0.1% of the test samples are. On the forget set gold is at chance; what is above gold on the retained set, the unlearning of others has exposed.${few === undefined ? '' : ` ${escaped(few)}`}`,
  ]
}

function populations(input: ReportInput, notes: Footnotes): string[] {
  const { population } = input.run.plan
  if (!population) return []
  const header = ['', 'U-LiRA', 'KLoM D_f', 'KLoM D_r', 'KLoM D_t', 'F', 'Score']
  const rows = population.map(({ label, stage }) => {
    const metrics = manifestOf<'population'>(input, stage)?.metrics
    const cell = (measured: Estimate | undefined, write = significant) => {
      if (measured && 'value' in measured) {
        const { interval } = measured
        return `${write(measured.value)}${interval ? ` (${interval.map(write).join(' – ')})` : ''}`
      }
      return `n/a[^${notes.number(measured?.missing ?? whyMissing(input, [stage]))}]`
    }
    return [
      escaped(label),
      cell(metrics?.uLira, percent),
      cell(metrics?.klom.forget.mean),
      cell(metrics?.klom.retained.mean),
      cell(metrics?.klom.test.mean),
      cell(metrics?.forgettingQuality.forgetting),
      cell(metrics?.forgettingQuality.score),
    ]
  })
  const ruler = ['---', ...header.slice(1).map(() => '---:')]
  const models = input.run.spec.seeds ?? 1
  const bias = populationNotes(models).map((note) => ` ${escaped(note)}`)
  return [
    [header.map(escaped), ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    `Populations of ${models} models of each kind. **U-LiRA** (%): accuracy of telling unlearned models from gold by a sample of the forget set, with its 95% interval; 50 is ideal. **KLoM** (nats): mean divergence of margins to gold. **F**: forgetting quality, 1 is gold; **Score**: F times the ratios of RA and TA. Gold against gold is the floor.${bias.join('')}`,
  ]
}

function relearning(input: ReportInput, notes: Footnotes): string[] {
  const rows = relearnRows(input)
  if (!rows) return []
  return [
    judgedTable(
      rows,
      relearnFigures.map((name) => ({
        label: relearnColumns[name].label,
        write: relearnColumns[name].write,
        of: (row) => relearnFigure(row, name),
      })),
      notes,
    ),
    "**Steps** of fine-tuning on the forget set alone until accuracy on it is within 5 points of the original's. **Anamnesis index**: those over gold's; 1 is gold, and what learns faster still remembers.",
  ]
}

function probes(input: ReportInput, notes: Footnotes): string[] {
  const rows = probeRows(input)
  if (!rows) return []
  const layers = probedLayers(input)
  return probeFigures.flatMap((name) => {
    const { title, about, write } = probeTables[name]
    return [
      `${escaped(title)}, by layer. ${escaped(about)}`,
      judgedTable(
        rows,
        layers.map((layer) => ({ label: layer, write, of: (row) => probeFigure(row, name, layer) })),
        notes,
      ),
    ]
  })
}

interface JudgedColumn<Row> {
  readonly label: string
  readonly write: (value: number) => string
  readonly of: (row: Row) => Figure
}

function judgedTable<Row extends { readonly label: string; readonly isFloor: boolean }>(
  rows: readonly Row[],
  columns: readonly JudgedColumn<Row>[],
  notes: Footnotes,
): string {
  const body = rows.map((row) => [
    row.isFloor ? `*floor: ${escaped(row.label)}*` : escaped(row.label),
    ...columns.map(({ of, write }) => {
      const found = of(row)
      if ('missing' in found) return `n/a[^${notes.number(found.missing)}]`
      const left = withoutSeeds(found)
      return `${withInterval(found, write)}${left === undefined ? '' : `[^${notes.number(left)}]`}`
    }),
  ])
  const ruler = ['---', ...columns.map(() => '---:')]
  return [['', ...columns.map(({ label }) => escaped(label))], ruler, ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

function unit(name: MetricName): string {
  const { unit } = metricColumns[name]
  return unit ? ` (${escaped(unit)})` : ''
}
