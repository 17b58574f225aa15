import { manifestDigest } from '../../experiment/records/manifest.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import {
  metricColumns,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../../experiment/records/results.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { describeModel } from '../../report/describe.ts'
import type { ChosenModel } from './chosen-model.ts'

interface CardInput extends ChosenModel {
  readonly run: RunRecord
  /** The split, which has the digest of the forget set. Absent if the store lacks it. */
  readonly split: ManifestOf<'split'> | undefined
  /** All rows of the results: the methods, then the further gold models. */
  readonly results: readonly ResultRow[]
  /** The digest of the run's report. */
  readonly report: string
  /** SHA-256 of the exported files by their names. */
  readonly files: Readonly<Record<string, string>>
  /** Python that loads the model. */
  readonly usage: string
}

const figures = ['ra', 'ua', 'ta', 'mia', 'averageGap'] as const satisfies readonly MetricName[]

/**
 * Returns the model card, in Markdown. It describes the forget set by its size and digest, and
 * names no sample of it.
 */
export function modelCard({ run, label, manifest, split, results, report, files, usage }: CardInput): string {
  const { spec, facts, plan } = run
  const shown = results.filter(
    (row, i) => row.label === label || row.method === 'retrain' || i >= plan.candidates.length,
  )
  const lines = [
    `# ${text(label)} of ${text(run.id)}`,
    '',
    'A model that Zeroshift exported from an experiment in machine unlearning.',
    '',
    '| | |',
    '| --- | --- |',
    `| data | ${text(facts.name)}, ${facts.shape.join('×')}, ${facts.classes.length} classes |`,
    `| model | ${text(describeModel(spec.model))} |`,
    `| kind of forget set | ${spec.split.kind} |`,
    ...(split
      ? [
          `| samples | ${split.metrics.forget} forgotten, ${split.metrics.retained} retained |`,
          `| SHA-256 of the list of forgotten samples | \`${split.outputs.split?.sha256 ?? 'unknown'}\` |`,
        ]
      : []),
    `| seed | the first of ${spec.seeds ?? 1} |`,
    `| stage | \`${manifest.kind}\` \`${manifest.key}\` |`,
    `| SHA-256 of the stage's result | \`${manifestDigest(manifest)}\` |`,
    `| digest of the run's report | \`${report}\` |`,
    '',
    '## Use',
    '',
    '```python',
    usage,
    '```',
    '',
    '## Figures',
    '',
    `| | ${figures.map((name) => metricColumns[name].label).join(' | ')} |`,
    `| --- | ${figures.map(() => '---:').join(' | ')} |`,
    ...shown.map(
      (row) => `| ${text(row.label)} | ${figures.map((name) => figure(row.metrics[name])).join(' | ')} |`,
    ),
    '',
    ...figures.map((name) => `- **${metricColumns[name].label}**: ${metricColumns[name].about}.`),
    '',
    'Rows called retrain are gold: models that never saw the forgotten samples. The gaps between several gold models are',
    'the floor: a smaller gap of a method says nothing. The report of the run has all figures.',
    '',
    '## Verify',
    '',
    '```sh',
    'sha256sum --check SHA256SUMS          # these files are complete',
    'zeroshift verify REPORT               # computes the published report.json of the run again, and compares all figures',
    '```',
    '',
    'On the same device with the same number of threads, the run gives the same stage results to the byte.',
    `\`zeroshift export ${text(run.id)} '${text(label)}' --out DIRECTORY\` then writes the same weights.`,
    '',
    '| file | SHA-256 |',
    '| --- | --- |',
    ...Object.entries(files).map(([name, sha256]) => `| \`${name}\` | \`${sha256}\` |`),
    '',
  ]
  return lines.join('\n')
}

function figure(found: Figure | undefined): string {
  if (!found) return 'n/a'
  if ('missing' in found) return `n/a (${text(found.missing)})`
  return `${found.value.toFixed(2)}${found.interval === undefined ? '' : ` ± ${found.interval.toFixed(2)}`}`
}

/** Returns the text without what Markdown would read as markup or as the end of a cell. */
function text(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|]/g, (character) => `\\${character}`)
}
