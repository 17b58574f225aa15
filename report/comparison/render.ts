import type { Comparison } from '../../experiment/comparison.ts'

export interface RenderedComparison {
  /** By name: `index.html`, `report.md`, `report.json`, `results.csv`, `results.tex`. */
  readonly files: Readonly<Record<string, string>>
  /** Of the computed part of `report.json`. */
  readonly digest: string
}

/** The report that puts runs side by side. The same comparison gives the same bytes. */
export function renderComparison(_comparison: Comparison): Promise<RenderedComparison> {
  return Promise.reject(new Error('being written'))
}
