import type { Estimate } from '../experiment/manifest.ts'
import { metricColumns, type MetricName, type ResultRow } from '../experiment/results.ts'
import { commandOf } from './command.ts'
import { describeSeeds } from './describe.ts'
import { footnotes, type Footnotes } from './footnotes.ts'
import { figure, percent, signed, significant, withInterval, withoutSeeds } from './format.ts'
import { checkOracle } from './oracle.ts'
import {
  closest,
  floorRows,
  forgottenTest,
  goldFigures,
  manifestOf,
  valueOf,
  whyMissing,
  type ReportInput,
} from './results.ts'
import { verdict } from './verdict.ts'

const names = Object.keys(metricColumns) as MetricName[]

/** The report for GitHub: verdict, table, command and digest. */
export function renderMarkdown(input: ReportInput, rows: readonly ResultRow[], digest: string): string {
  const { run } = input
  const oracle = checkOracle(input)
  const { headline, details } = verdict(input, rows)
  const notes = footnotes()
  const seeds = describeSeeds(run.spec)
  const best = closest(rows)
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
      return `${withInterval(measured, (value) => figure(name, value))}${difference}${note}`
    })
    return [floor.includes(row) ? `*floor: ${label}*` : row === best ? `**${label}**` : label, ...cells]
  })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const ruler = ['---', ...names.map(() => '---:')]

  const blocks = [
    `# ${escaped(run.spec.name)}`,
    ...(oracle.passed === false ? [`> [!CAUTION]\n> ${escaped(oracle.message)}`] : []),
    ...(oracle.passed === undefined ? [`> [!WARNING]\n> ${escaped(oracle.message)}`] : []),
    `**${escaped(headline)}** ${details.map(escaped).join(' ')}`.trim(),
    [header, ruler, ...body].map(line).join('\n'),
    `${seeds === undefined ? '' : `${escaped(seeds)}. `}In brackets: points above or below gold.`,
    `${names.map((name) => `**${escaped(metricColumns[name].label)}**${unit(name)}: ${escaped(metricColumns[name].about)}`).join('; ')}.`,
    ...(oracle.passed === true ? [escaped(oracle.message)] : []),
    ...forgottenClasses(input),
    ...populations(input, notes),
    'To reproduce:',
    fenced(commandOf(run), 'sh'),
    `Run ${escaped(run.id)}. SHA-256 of what was computed: \`${digest}\`.`,
    ...notes.all().map((reason, i) => `[^${i + 1}]: ${escaped(reason)}`),
  ]
  return `${blocks.join('\n\n')}\n`
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
  return [
    [header.map(escaped), ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    `Populations of ${input.run.spec.seeds ?? 1} models of each kind. **U-LiRA** (%): accuracy of telling unlearned models from gold by a sample of the forget set, with its 95% interval; 50 is ideal. **KLoM** (nats): mean divergence of margins to gold. **F**: forgetting quality, 1 is gold; **Score**: F times the ratios of RA and TA. Gold against gold is the floor.`,
  ]
}

function unit(name: MetricName): string {
  const { unit } = metricColumns[name]
  return unit ? ` (${escaped(unit)})` : ''
}

/** Text in which GitHub finds no markup. */
function escaped(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|~$]/g, (character) => `\\${character}`)
}

/** A fence that is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}
