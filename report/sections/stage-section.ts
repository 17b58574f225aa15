import type { Block } from '../blocks.ts'
import type { ReportInput } from '../input.ts'

/** The section of a report that shows the results of one kind of stage. */
export interface StageSection {
  readonly title: string
  /** The row of the table in docs/guides/reading-a-report.md: what the section shows and needs. */
  readonly about: string
  readonly needs?: string
  /** Returns undefined if the run has no such stages. */
  readonly blocks: (input: ReportInput) => readonly Block[] | undefined
  /** The part of `computed` in report.json, by its key. Undefined values are left out. */
  readonly computed?: { readonly key: string; readonly of: (input: ReportInput) => unknown }
}
