import type { IndexedTexts, SweepCell, SweepColumns } from './contract.ts'

/** Cells as columns, which are a fraction of the bytes for thousands of cells. */
export function columnsOf(cells: readonly SweepCell[]): SweepColumns {
  const names = [...new Set(cells.flatMap(({ values }) => Object.keys(values)))]
  const rows = cells.flatMap((cell, number) => cell.rows.map((row) => ({ ...row, number })))
  return {
    run: cells.map(({ run }) => run),
    state: indexed(cells.map(({ state }) => state)),
    values: Object.fromEntries(
      names.map((name) => [name, indexed(cells.map(({ values }) => values[name] ?? ''))]),
    ),
    rows: {
      cell: rows.map(({ number }) => number),
      label: indexed(rows.map(({ label }) => label)),
      gap: rows.map(({ gap }) => gap ?? null),
      low: rows.map(({ interval }) => interval?.[0] ?? null),
      high: rows.map(({ interval }) => interval?.[1] ?? null),
      rte: rows.map(({ rte }) => rte ?? null),
    },
    running: cells.flatMap(({ running }, cell) => (running ? [{ cell, stages: running }] : [])),
  }
}

/** The cells of columns. */
export function cellsOf({ run, state, values, rows, running }: SweepColumns): readonly SweepCell[] {
  const own = run.map((): SweepCell['rows'][number][] => [])
  rows.cell.forEach((cell, row) => {
    const [gap, low, high, rte] = [rows.gap[row], rows.low[row], rows.high[row], rows.rte[row]]
    own[cell]?.push({
      label: textAt(rows.label, row),
      ...(isNumber(gap) && { gap }),
      ...(isNumber(low) && isNumber(high) && { interval: [low, high] as const }),
      ...(isNumber(rte) && { rte }),
    })
  })
  const stages = new Map(running.map((one) => [one.cell, one.stages]))
  const names = Object.keys(values)
  return run.map((id, cell): SweepCell => {
    const active = stages.get(cell)
    return {
      run: id,
      state: textAt(state, cell),
      values: Object.fromEntries(
        names.flatMap((name) => {
          const column = values[name]
          return column ? [[name, textAt(column, cell)]] : []
        }),
      ),
      rows: own[cell] ?? [],
      ...(active && { running: active }),
    }
  })
}

const isNumber = (value: number | null | undefined): value is number => typeof value === 'number'

function indexed<Text extends string>(items: readonly Text[]): IndexedTexts<Text> {
  const known = new Map<Text, number>()
  const places = items.map((item) => {
    const place = known.get(item) ?? known.size
    known.set(item, place)
    return place
  })
  return { texts: [...known.keys()], places }
}

function textAt<Text extends string>({ texts, places }: IndexedTexts<Text>, item: number): Text {
  const text = texts[places[item] ?? -1]
  if (text === undefined) throw new RangeError(`the column has no item ${item}`)
  return text
}
