import type { TopLevelSpec } from 'vega-lite'
import type { Figure } from '../experiment/records/results.ts'
import { intervalText, withoutSeeds } from './format.ts'

/**
 * The parts of a report. Sections compute them from manifests, and the renderers in report/render/
 * write them as HTML, Markdown, LaTeX or text for a terminal.
 */
export interface Document {
  readonly title: string
  /** A short line above the title. */
  readonly kind: string
  /** A sentence below the title. */
  readonly lead: string
  readonly sections: readonly Section[]
  readonly footer: Text
}

export interface Section {
  readonly title?: string
  /** The target of links to the section. */
  readonly id?: string
  /** The section is left out of Markdown: it has charts alone, or lists each stage. */
  readonly pageOnly?: boolean
  /** The section is set in a frame. */
  readonly framed?: boolean
  readonly blocks: readonly Block[]
}

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'prose'; readonly text: Text; readonly style?: 'headline' | 'note' }
  | { readonly kind: 'list'; readonly items: readonly Text[]; readonly style?: 'keys' }
  | { readonly kind: 'terms'; readonly items: readonly Term[]; readonly style: 'legend' | 'tiles' | 'facts' }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'details'; readonly summary: string; readonly blocks: readonly Block[] }
  | Banner
  | Table
  | { readonly kind: 'charts'; readonly size: ChartSize; readonly charts: readonly Chart[] }

/** Text in a line. D_r, D_f and D_t are set as symbols. */
export type Text = string | readonly Inline[]
export type Inline =
  | string
  | { readonly code: string }
  | { readonly strong: string }
  | { readonly small: string }
  | { readonly link: string; readonly text: string }
  /** A key of a chart: `line`, `dashed`, or the name of a colour in the style sheet. */
  | { readonly swatch: string }

export interface Term {
  readonly term: Text
  readonly unit?: string
  readonly text: Text
  readonly notes?: readonly Text[]
}

export interface Banner {
  readonly kind: 'banner'
  readonly tone: 'alert' | 'warning' | 'note'
  readonly title: string
  readonly text: Text
  readonly items?: readonly string[]
}

export interface Table {
  readonly kind: 'table'
  /** The accessible name. */
  readonly name: string
  /** The start of the ids of its footnotes. */
  readonly id: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** A heading above the rows of the floor. */
  readonly floorTitle?: string
  /** The meaning of the marks in its cells. */
  readonly notes?: readonly string[]
  /** What the second figures of its cells are, if a reader may want to see these alone. */
  readonly besideTitle?: string
}

export interface Column {
  readonly label: string
  readonly unit?: string
  /** Columns of one group stand together, below its name. */
  readonly group?: string
  /** The column holds text, which is aligned to the left. Other columns hold numbers. */
  readonly text?: boolean
  /** The column of the figure that ranks the rows. */
  readonly key?: boolean
  /** A line separates the column from the one before. */
  readonly split?: boolean
}

export interface Row {
  /** One cell for each column. The first is the heading of the row. */
  readonly cells: readonly Cell[]
  /** `missing`: the row has a reason in place of figures. */
  readonly style?: 'best' | 'floor' | 'missing' | 'total' | undefined
}

export type Cell = string | FullCell

export interface FullCell {
  readonly text: string
  /** The text is a number as report/format.ts writes it. */
  readonly isNumber?: boolean
  /** The number without rounding. */
  readonly exact?: number
  /** The 95% interval: `± 0.56` or `(2.10 – 91.00)`. */
  readonly interval?: string | undefined
  /** A sign behind the figure, which a note below the table explains. */
  readonly mark?: string | undefined
  /** A second figure, such as the difference to gold. */
  readonly beside?: string | undefined
  /** Words below a row's heading, which narrow tables leave out. */
  readonly small?: string | undefined
  /** A footnote: the reason why the figure is missing, or which seeds are left out. */
  readonly note?: string | undefined
  readonly tone?: 'faint' | 'further' | undefined
  readonly link?: string | undefined
  /** The text is a digest; this is the whole of it. */
  readonly digest?: string
}

export type ChartSize = 'wide' | 'full' | 'panels' | 'pairs'

export interface Chart {
  readonly title?: string | undefined
  /** Words beside the title. */
  readonly small?: string
  /** The text for a screen reader. */
  readonly description: string
  readonly spec: TopLevelSpec
  /** Names of the points that the chart numbers. */
  readonly numbered?: readonly string[]
  readonly note?: string | undefined
}

export const heading = (text: string): Block => ({ kind: 'heading', text })
export const prose = (text: Text): Block => ({ kind: 'prose', text })
export const note = (text: Text): Block => ({ kind: 'prose', text, style: 'note' })
export const code = (text: string, language = ''): Block => ({ kind: 'code', text, language })

/** A figure as a cell: its value and interval, or `n/a` with the reason as a footnote. */
export function figureCell(figure: Figure, write: (value: number) => string): FullCell {
  if ('missing' in figure) return { text: 'n/a', note: figure.missing }
  return {
    text: write(figure.value),
    isNumber: true,
    exact: figure.value,
    interval: intervalText(figure, write),
    note: withoutSeeds(figure),
  }
}

export function fullCell(cell: Cell): FullCell {
  return typeof cell === 'string' ? { text: cell } : cell
}

/** Collects footnotes in the order in which they are first used. Equal notes share a number. */
export class Footnotes {
  readonly texts: string[] = []
  /** The number of a note, from 1. */
  numberOf(text: string): number {
    if (!this.texts.includes(text)) this.texts.push(text)
    return this.texts.indexOf(text) + 1
  }
}
