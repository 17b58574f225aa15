import type { ComponentType } from 'preact'

/** A view of the page. Each has a file in this folder and a line in index.ts. */
export interface View {
  /** The first part of its addresses: `#/runs`. */
  readonly name: string
  /** Its name in the header. Absent if it is reached from other views alone. */
  readonly navigation?: string
  /** Whether an export has its answers. The header of an export leaves out the other views. */
  readonly isExported?: true
  readonly matches: (path: readonly string[]) => boolean
  readonly Component: ComponentType<ViewProps>
}

export interface ViewProps {
  /** The parts of the address. */
  readonly path: readonly string[]
}
