import { canonicalJson } from '../common/canonical.ts'
import type { ResultRow } from '../experiment/records/results.ts'
import type { Document } from './blocks.ts'
import type { ReportInput } from './input.ts'
import { judge, withStandings } from './judgement/judge.ts'
import { renderJson } from './json.ts'
import { csvOfRun, latexOfRun } from './result-files.ts'
import { renderHtml } from './render/html.ts'
import { renderMarkdown } from './render/markdown.ts'
import { results } from './results.ts'
import { documentOf } from './sections/document.ts'

export type { ReportInput } from './input.ts'

export interface Report {
  readonly html: string
  readonly markdown: string
  readonly json: string
  /** The table of results for a paper. */
  readonly latex: string
  /** The rows of results with all digits of their figures. */
  readonly csv: string
  /** The outcomes as canonical JSON. Absent if the input has none. */
  readonly outcomes?: string
  readonly results: readonly ResultRow[]
  /** The digest of the computed part of `json`. */
  readonly digest: string
}

/** The rows of a run with the verdicts of its tests. */
function resultsWithVerdicts(input: ReportInput) {
  const judgement = judge(input)
  return { rows: withStandings(results(input), judgement), judgement }
}

/** The `report.json` of `renderReport`, without the pages. */
export function renderReportJson(input: ReportInput): string {
  const { rows, judgement } = resultsWithVerdicts(input)
  return renderJson(input, rows, judgement).json
}

/** A run's report as blocks, with its rows and the digest of the computed part of `report.json`. */
export function reportDocument(input: ReportInput): {
  readonly document: Document
  readonly rows: readonly ResultRow[]
  readonly digest: string
} {
  const { rows, judgement } = resultsWithVerdicts(input)
  const { digest } = renderJson(input, rows, judgement)
  return { document: documentOf(input, rows, judgement, digest), rows, digest }
}

/** A run's report. The same run and manifests give the same bytes. */
export async function renderReport(input: ReportInput): Promise<Report> {
  const { rows, judgement } = resultsWithVerdicts(input)
  const { json, digest } = renderJson(input, rows, judgement)
  const document = documentOf(input, rows, judgement, digest)
  return {
    html: await renderHtml(document),
    markdown: renderMarkdown(document),
    json,
    latex: latexOfRun(input, rows, digest),
    csv: csvOfRun(input, rows, digest),
    ...(input.outcomes && { outcomes: canonicalJson(input.outcomes) }),
    results: rows,
    digest,
  }
}
