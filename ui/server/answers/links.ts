/** The address of a run within the page. */
export function runPage(run: string): string {
  return `#/runs/${encodeURIComponent(run)}`
}
