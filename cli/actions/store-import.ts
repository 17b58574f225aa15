import { planImport, type PlannedCopy } from '../../artifacts/copy/plan-copy.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import { renderRun } from '../../activities/report.ts'
import { writeSweepReport } from '../../activities/sweep.ts'
import { ArchiveStore } from '../../artifacts/copy/archive.ts'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { parsed } from '../../report/published.ts'
import { storeFor } from '../workspace/workspace.ts'
import { printCopied, carryOut, flawIn, keepOption } from './store-copy.ts'

interface StoreImportOptions {
  readonly keep?: string
  readonly dryRun?: true
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift store import FILE`: copies what `store export` wrote. The file is checked like any
 * file from elsewhere.
 */
export async function importStore(
  file: string,
  { keep, dryRun, json, store: named }: StoreImportOptions,
): Promise<number> {
  const store = openStore(storeFor(named))
  const options = { dryRun: dryRun ?? false, json: json ?? false }
  const archive = await ArchiveStore.open(file)
  try {
    const planned = await planImport(archive, store, { ...keepOption(keep), reportFlaw: flawIn(archive) })
    await carryOut(planned, { ...options, pages: false })
    if (!options.dryRun) await renderPages(openArtifacts(store.url), planned)
    printCopied(planned, { ...options, from: archive.url })
    return 0
  } finally {
    await archive.close()
  }
}

/** Renders the pages here, since pages from elsewhere could contain anything. */
async function renderPages(artifacts: Artifacts, { plan: { runs, sweeps } }: PlannedCopy): Promise<void> {
  for (const { id, report } of runs) {
    const record = report && (await artifacts.run(id))
    if (!record) continue
    const { files, digest } = await renderRun(artifacts, record, record.failed ?? [])
    const { 'report.json': _, ...pages } = files
    // Where stages are gone, the imported report has more than can be rendered from the rest.
    if (digest === (await storedReportDigest(artifacts, id))) await artifacts.putReport(id, pages)
  }
  for (const { id } of sweeps) {
    const sweep = await artifacts.sweep(id)
    if (sweep) await writeSweepReport(artifacts, id, sweep.failures ?? [])
  }
}

async function storedReportDigest(artifacts: Artifacts, id: string): Promise<unknown> {
  const text = await artifacts.reportJson(id)
  if (text === undefined) return undefined
  return (parsed(text, 'report.json') as { readonly digest: unknown }).digest
}
