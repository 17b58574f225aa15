import { join, resolve } from 'node:path'
import { comparisonOf } from '../activities/comparison.ts'
import { renderRun, writeReport } from '../activities/report.ts'
import { writeSweepReport } from '../activities/sweep.ts'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { SweepRecord } from '../experiment/sweep.ts'
import { renderComparison } from '../report/comparison/render.ts'
import { withLinks } from './comparison-links.ts'
import { artifactsIn } from './existing-store.ts'
import { writeTexts } from './new-folder.ts'
import { recordIn } from './place.ts'
import { print, whereOf } from './print.ts'

export interface ReportOptions {
  readonly out?: string
  readonly store?: string
}

/** `zeroshift report ID`: rendered from the manifests, so that the same manifests give the same bytes. */
export async function report(id: string, { out, store }: ReportOptions): Promise<number> {
  const artifacts = await artifactsIn(store)
  const sweep = await artifacts.sweep(id)
  if (sweep) return reportOfSweep(artifacts, sweep, out)
  const { failed = [], ...run } = await recordIn(artifacts, id)
  if (out === undefined) {
    const { url } = await writeReport(artifacts, run, failed)
    print(join(whereOf(url), 'index.html'))
    return 0
  }
  const { files } = await renderRun(artifacts, run, failed)
  await write(out, files)
  return 0
}

/** Its runs' own reports stay where they are. */
async function reportOfSweep(
  artifacts: Artifacts,
  sweep: SweepRecord,
  out: string | undefined,
): Promise<number> {
  if (out === undefined) {
    const { url } = await writeSweepReport(artifacts, sweep.id, sweep.failures ?? [])
    print(join(whereOf(url), 'index.html'))
    return 0
  }
  const comparison = withLinks(await comparisonOf(artifacts, sweep), artifacts, resolve(out))
  await write(out, (await renderComparison(comparison)).files)
  return 0
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await writeTexts(folder, files)
  print(resolve(folder, 'index.html'))
}
