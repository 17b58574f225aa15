import type { Section } from '../blocks.ts'
import type { ReportInput } from '../input.ts'

/** The part of a report that shows the results of one kind of stage. */
export interface StageSection {
  /** Returns undefined if the run has no such stages. */
  readonly section: (input: ReportInput) => Section | undefined
  /** The part of `computed` in report.json, by its key. Undefined values are left out. */
  readonly computed?: { readonly key: string; readonly of: (input: ReportInput) => unknown }
}
