import type { TopLevelSpec } from 'vega-lite'

export interface ClassAccuracy {
  readonly name: string
  /** In percent. */
  readonly own: number
  readonly gold?: number
}

/** Accuracy by class: bars for the model, a line across each bar for gold. */
export function accuracyByClass(classes: readonly ClassAccuracy[], colours: readonly string[]): TopLevelSpec {
  const names = classes.map(({ name }) => name)
  const x = {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, paddingInner: 0.25 },
    axis: { labelAngle: turned(names, 236), labelLimit: 80, ticks: false },
  }
  const y = {
    type: 'quantitative' as const,
    title: 'accuracy, %',
    scale: { domain: [0, 100] },
    axis: { values: [0, 50, 100], minExtent: 32 },
  }
  const values = classes.map((one, i) => ({
    ...one,
    gold: one.gold ?? null,
    fill: `var(--${colours[i] ?? 'test'})`,
  }))
  return {
    width: 236,
    height: 110,
    data: { values },
    layer: [
      {
        mark: { type: 'bar', opacity: 0.75 },
        encoding: { x, y: { ...y, field: 'own' }, fill: { field: 'fill', type: 'nominal', scale: null } },
      },
      {
        transform: [{ filter: 'datum.gold !== null' }],
        mark: { type: 'tick', color: 'var(--ink)', thickness: 2, width: { band: 1.15 } },
        encoding: { x, y: { ...y, field: 'gold' } },
      },
    ],
  }
}

/** The share of the samples of a row that fall into a column. */
export interface HeatCell {
  readonly row: string
  readonly column: string
  readonly share: number
}

/** A heat map of shares. Cells of 0 are left empty. Numbers are percentages, if there is room. */
export function shareHeat(
  cells: readonly HeatCell[],
  rows: readonly string[],
  columns: readonly string[],
  titles: { readonly row: string | null; readonly column: string },
  width: number,
): TopLevelSpec {
  const step = width / columns.length
  const rowStep = Math.min(24, Math.max(2, rows.length > 24 ? width / rows.length : step))
  const values = cells
    .filter(({ share }) => share > 0)
    .map((cell) => ({ ...cell, shade: 0.08 + 0.92 * Math.sqrt(cell.share), text: percentText(cell.share) }))
  const labelled = step >= 9
  const x = {
    field: 'column',
    type: 'nominal' as const,
    title: titles.column,
    scale: { domain: [...columns] },
    axis: {
      labelAngle: turned(columns, width),
      labelLimit: 80,
      ticks: false,
      domain: false,
      labels: labelled,
    },
  }
  const y = {
    field: 'row',
    type: 'nominal' as const,
    title: titles.row,
    scale: { domain: [...rows] },
    axis: { labelLimit: 220, ticks: false, labels: rowStep >= 9 },
  }
  return {
    width,
    height: rowStep * rows.length,
    data: { values },
    layer: [
      {
        mark: { type: 'rect', fill: 'var(--accent)', stroke: 'var(--page)', strokeWidth: labelled ? 1 : 0 },
        encoding: { x, y, opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null } },
      },
      ...(step >= 22 ? textLayers({ x, y }) : []),
    ],
  }
}

/**
 * The texts of cells in the colour of text, with a rim in that of the page: no shade of a cell has
 * enough contrast with either colour in both themes.
 */
export function textLayers<E extends object>(encoding: E, fontSize = 9) {
  const text = { field: 'text', type: 'nominal' as const }
  return (['rim', 'letters'] as const).map((part) => ({
    mark: {
      ...{ type: 'text' as const, fontSize },
      ...(part === 'rim'
        ? { fill: 'var(--page)', stroke: 'var(--page)', strokeWidth: 2.5, strokeJoin: 'round' as const }
        : { fill: 'var(--ink)' }),
    },
    encoding: { ...encoding, text },
  }))
}

/** `<1`, `3`, `100`: a percentage without decimals. */
function percentText(share: number): string {
  return share < 0.005 ? '<1' : String(Math.round(100 * share))
}

/** The angle at which labels find room below a plot. */
function turned(labels: readonly string[], width: number): number {
  return labels.some((label) => label.length * 6.5 > width / labels.length) ? -45 : 0
}

/** A cell of two confusion matrices: the share of the model minus that of gold. */
export interface DifferenceCell {
  readonly row: string
  readonly column: string
  readonly difference: number
}

/** A heat map of differences of shares: one colour above gold, another one below. */
export function differenceHeat(
  cells: readonly DifferenceCell[],
  rows: readonly string[],
  columns: readonly string[],
): TopLevelSpec {
  const values = cells
    .filter(({ difference }) => Math.abs(difference) >= 0.0005)
    .map((cell) => ({
      ...cell,
      fill: cell.difference > 0 ? 'var(--forget)' : 'var(--retained)',
      shade: 0.08 + 0.92 * Math.sqrt(Math.abs(cell.difference)),
      text: signedPercent(cell.difference),
    }))
  const isSmall = columns.length <= 10
  const rowStep = Math.min(24, 236 / Math.max(1, rows.length))
  const axis = { ticks: false, labelLimit: 80 }
  const x = {
    field: 'column',
    type: 'nominal' as const,
    title: 'predicted class',
    scale: { domain: [...columns] },
    axis: { ...axis, labelAngle: turned(columns, 236), domain: false, labels: columns.length <= 26 },
  }
  const y = {
    field: 'row',
    type: 'nominal' as const,
    title: 'true class',
    scale: { domain: [...rows] },
    axis: { ...axis, labels: rowStep >= 9 },
  }
  return {
    width: 236,
    height: rowStep * rows.length,
    data: { values },
    layer: [
      {
        mark: { type: 'rect', stroke: 'var(--page)', strokeWidth: isSmall ? 1 : 0 },
        encoding: {
          ...{ x, y },
          fill: { field: 'fill', type: 'nominal', scale: null },
          opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null },
        },
      },
      ...(isSmall ? textLayers({ x, y }) : []),
    ],
  }
}

function signedPercent(difference: number): string {
  const rounded = Math.round(100 * difference)
  return rounded > 0 ? `+${rounded}` : rounded < 0 ? `−${-rounded}` : '<1'
}
