import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { renderCsv } from './csv.ts'
import { renderJson } from './json.ts'
import { renderMarkdown } from './markdown.ts'
import { overviewOf } from './overview.ts'
import { renderPage } from './page.ts'
import { renderTex } from './tex.ts'

export interface RenderedComparison {
  /** By name: `index.html`, `report.md`, `report.json`, `results.csv`, `results.tex`. */
  readonly files: Readonly<Record<string, string>>
  /** Of the computed part of `report.json`. */
  readonly digest: string
}

/** The report that puts runs side by side. The same comparison gives the same bytes. */
export async function renderComparison(comparison: Comparison): Promise<RenderedComparison> {
  const overview = overviewOf(comparison)
  const { json, digest } = renderJson(comparison)
  return {
    files: {
      'index.html': await renderPage(overview, digest),
      'report.md': renderMarkdown(overview, digest),
      'report.json': json,
      'results.csv': renderCsv(overview),
      'results.tex': renderTex(overview, digest),
    },
    digest,
  }
}
