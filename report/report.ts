import type { ResultRow } from '../experiment/results.ts'
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

/** A run's report. The same run and manifests give the same bytes. */
export async function renderReport(input: ReportInput): Promise<Report> {
  const judgement = judge(input)
  const rows = withStandings(results(input), judgement)
  const { json, digest } = renderJson(input, rows, judgement)
  return {
    html: await renderPage(input, rows, judgement, digest),
    markdown: renderMarkdown(input, rows, judgement, digest),
    json,
    results: rows,
    digest,
  }
}
