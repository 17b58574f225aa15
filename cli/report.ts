import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { renderRun, writeReport } from '../activities/report.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { UserError } from '../experiment/errors.ts'
import { storeFor } from './place.ts'
import { whereOf } from './print.ts'

export interface ReportOptions {
  readonly out?: string
  readonly store?: string
}

/** `zeroshift report ID`: rendered from the manifests, so that the same manifests give the same bytes. */
export async function report(id: string, { out, store }: ReportOptions): Promise<number> {
  const location = storeFor(store)
  const artifacts = openArtifacts(location)
  const record = await artifacts.run(id)
  if (!record) {
    const known = await artifacts.runs()
    throw new UserError(
      `the store ${whereOf(location)} has no run '${id}'; ` +
        (known.length > 0 ? `it has ${known.join(', ')}` : 'it has none: is it the right one (--store)?'),
    )
  }
  const { failed = [], ...run } = record
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
