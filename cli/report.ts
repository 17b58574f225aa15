import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { renderRun, writeReport } from '../activities/report.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { recordIn, storeFor } from './place.ts'
import { whereOf } from './print.ts'

export interface ReportOptions {
  readonly out?: string
  readonly store?: string
}

/** `zeroshift report ID`: rendered from the manifests, so that the same manifests give the same bytes. */
export async function report(id: string, { out, store }: ReportOptions): Promise<number> {
  const artifacts = openArtifacts(storeFor(store))
  const { failed = [], ...run } = await recordIn(artifacts, id)
  if (out === undefined) {
    const { url } = await writeReport(artifacts, run, failed)
    console.log(join(whereOf(url), 'index.html'))
    return 0
  }
  const { files } = await renderRun(artifacts, run, failed)
  await mkdir(out, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  console.log(resolve(out, 'index.html'))
  return 0
}
