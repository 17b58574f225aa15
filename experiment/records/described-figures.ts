/** The description of one figure. */
export interface FigureDescription {
  /** The name in the results or in the manifest of the stage. */
  readonly name: string
  readonly unit: string
  readonly about: string
  /** The definition in symbols, which docs/reference/metrics.md explains. */
  readonly formula: string
  /** The publication that defines the figure, or the reason why no publication is named. */
  readonly source: string
}

/** The figures of one stage kind. */
export interface DescribedFigures {
  /** The heading and the introduction of their table in docs/reference/metrics.md. */
  readonly heading: string
  readonly introduction: string
  readonly list: readonly FigureDescription[]
}

/** Sources of figures that no publication defines. */
export const STANDARD = 'standard definition'
export const OWN = 'defined by Zeroshift'
