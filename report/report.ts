import type { ResultRow } from '../experiment/records/results.ts'
import { judge, withStandings } from './judgement/judge.ts'
import { renderJson } from './json.ts'
import { renderMarkdown } from './markdown.ts'
import { renderPage } from './page.ts'
import { results, type ReportInput } from './results.ts'

export type { ReportInput } from './results.ts'

export interface Report {
  readonly html: string
  readonly markdown: string
  readonly json: string
  readonly results: readonly ResultRow[]
  /** Of the computed part of `json`. */
  readonly digest: string
}

/** The rows of a run with what its tests say of them. */
function judgedResults(input: ReportInput) {
  const judgement = judge(input)
  return { rows: withStandings(results(input), judgement), judgement }
}

/** The `report.json` of `renderReport`, without its pages. */
export function renderReportJson(input: ReportInput): string {
  const { rows, judgement } = judgedResults(input)
  return renderJson(input, rows, judgement).json
}

/** A run's report. The same run and manifests give the same bytes. */
export async function renderReport(input: ReportInput): Promise<Report> {
  const { rows, judgement } = judgedResults(input)
  const { json, digest } = renderJson(input, rows, judgement)
  return {
    html: await renderPage(input, rows, judgement, digest),
    markdown: renderMarkdown(input, rows, judgement, digest),
    json,
    results: rows,
    digest,
  }
}
