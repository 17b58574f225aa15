import type { ComponentType } from 'preact'
import type { RunView } from '../../../contract.ts'

/** A part of the view of a run. Each has a file in tabs/ and a line in tabs/index.ts. */
export interface RunTab {
  /** The third part of its address: `#/runs/ID/samples`. The first tab has none. */
  readonly name: string
  readonly title: string
  /** Whether the run has data for it. */
  readonly isShown: (run: RunView) => boolean
  readonly Component: ComponentType<RunTabProps>
}

export interface RunTabProps {
  readonly run: RunView
}
