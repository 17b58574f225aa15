import { existsSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { pathOrUrl } from './print.ts'

/**
 * Returns the comparison with links from a folder to the runs' own pages. A store that is no
 * directory gives no links.
 */
export function withLinks(comparison: Comparison, { store }: Artifacts, folder: string): Comparison {
  return {
    ...comparison,
    runs: comparison.runs.map((run) => {
      const page = pathOrUrl(store.locate(`runs/${run.id}/report/index.html`))
      if (!existsSync(page)) return run
      return { ...run, link: relative(folder, page).split(sep).map(encodeURIComponent).join('/') }
    }),
  }
}
