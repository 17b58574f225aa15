import type { Comparison } from '../../experiment/sweep/comparison.ts'
import type { Document } from '../blocks.ts'
import { counted } from '../../common/counted.ts'
import { renderHtml } from '../render/html.ts'
import { renderMarkdown } from '../render/markdown.ts'
import { costSection } from './cost.ts'
import { figuresSection } from './figures.ts'
import { csvOfFigures, latexOfFigures } from './files.ts'
import { heatSection } from './heat.ts'
import { renderJson } from './json.ts'
import { closestSection, outcomeSections } from './opening.ts'
import { overSection } from './over.ts'
import { overviewOf, type Overview } from './overview.ts'
import { parallelSection } from './parallel.ts'
import { differencesSection, missingSection, reproductionSection } from './runs.ts'
import { stoppingSection } from './stopping.ts'

export interface RenderedComparison {
  /** Files by name: `index.html`, `report.md`, `report.json`, `results.csv`, `results.tex`. */
  readonly files: Readonly<Record<string, string>>
  /** The digest of the computed part of `report.json`. */
  readonly digest: string
}

/** The report that puts runs side by side as blocks, and its tables for other programs. */
export function comparisonDocument(comparison: Comparison): {
  readonly document: Document
  readonly tables: { readonly latex: string; readonly csv: string }
} {
  const overview = overviewOf(comparison)
  const { digest } = renderJson(comparison)
  return {
    document: documentOf(overview, digest),
    tables: { latex: latexOfFigures(overview, digest), csv: csvOfFigures(overview) },
  }
}

/** The report that puts runs side by side. The same comparison gives the same bytes. */
export async function renderComparison(comparison: Comparison): Promise<RenderedComparison> {
  const overview = overviewOf(comparison)
  const { json, digest } = renderJson(comparison)
  const document = documentOf(overview, digest)
  return {
    files: {
      'index.html': await renderHtml(document),
      'report.md': renderMarkdown(document),
      'report.json': json,
      'results.csv': csvOfFigures(overview),
      'results.tex': latexOfFigures(overview, digest),
    },
    digest,
  }
}

function documentOf(overview: Overview, digest: string): Document {
  const { comparison, dimensions } = overview
  const { sweep, runs } = comparison
  const columns = dimensions
    .filter(({ values }) => values.length > 1)
    .map(({ name, values }) => `${name} (${values.length})`)
  const sections = [
    ...outcomeSections(overview),
    closestSection(overview),
    overSection(overview),
    costSection(overview),
    heatSection(overview),
    parallelSection(overview),
    stoppingSection(overview),
    figuresSection(overview),
    missingSection(overview),
    differencesSection(overview),
    reproductionSection(overview, digest),
  ]
  return {
    title: sweep ?? `Comparison of ${counted(runs.length, 'run')}`,
    kind: sweep === undefined ? 'Machine unlearning runs side by side' : 'Machine unlearning sweep',
    lead: `${counted(runs.length, 'run')}${columns.length > 0 ? `, which differ in ${columns.join(', ')}` : ''}`,
    sections: sections.flatMap((section) => section ?? []),
    footer: [
      "Seconds and RTE are the clock's part: they are in ",
      { code: 'report.json' },
      ' beside what was computed, and not in the digest. ',
      { code: 'results.csv' },
      ' has every figure with all of its digits, ',
      { code: 'results.tex' },
      ' the table for a paper.',
    ],
  }
}
