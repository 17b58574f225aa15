import type { ResultRow } from '../experiment/results.ts'
import type { ReportInput } from './results.ts'
import { html } from './markup.ts'

export async function renderPage(input: ReportInput, rows: readonly ResultRow[], digest: string): Promise<string> {
  return html`<!doctype html><html lang="en"><title>${input.run.id}</title><p>${rows.length} ${digest}</p></html>`.text
}
