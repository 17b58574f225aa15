import { existsSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { whereOf } from './print.ts'

/** With links from a folder to the runs' own pages, where the store is a directory. */
export function withLinks(comparison: Comparison, { store }: Artifacts, folder: string): Comparison {
  return {
    ...comparison,
    runs: comparison.runs.map((run) => {
      const page = whereOf(store.locate(`runs/${run.id}/report/index.html`))
      if (!existsSync(page)) return run
      return { ...run, link: relative(folder, page).split(sep).map(encodeURIComponent).join('/') }
    }),
  }
}
