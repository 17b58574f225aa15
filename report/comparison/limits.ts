/** The sizes at which a page cuts a comparison off. `results.csv` has all of it. */
export const limits = {
  /** Rows of the table of all figures. */
  rows: 300,
  /** Rows of the table in LaTeX, which has to fit on a page. */
  texRows: 50,
  /** Rows, and columns of values, on a terminal. */
  terminalRows: 40,
  terminalColumns: 4,
  /** Columns of values in a table. */
  columns: 8,
  /** Runs in lists of missing ones, of commands and of decisions. */
  listed: 100,
  /** Distinct values of a column in the list of what differs. */
  values: 12,
  /** Groups of runs with gold of their own. */
  groups: 12,
  /** Charts of a kind, one for each such group or data set. */
  facets: 6,
  /** Columns of numbers that the gap is drawn over. */
  overs: 4,
  /** Lines in one of these charts; the page's CSS has as many colours. */
  lines: 8,
  /** Points in a chart of cost and gap. */
  points: 300,
  /** Members of a Pareto front that are named. */
  named: 12,
  /** Pairs of columns that have heat maps, and heat maps in all. */
  pairs: 6,
  maps: 12,
  /** Values of a column in a heat map. */
  cells: 12,
  /** Lines and axes in parallel coordinates. */
  parallel: 200,
  axes: 8,
} as const
