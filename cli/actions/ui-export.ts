import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { environmentHere } from '../../activities/runtime/environment.ts'
import { inOrder } from '../../common/concurrency.ts'
import { exportFiles } from '../../ui/export/export-folder.ts'
import { readPage } from '../../ui/server/page-files.ts'
import { print } from '../output/print.ts'
import { pageFolder } from '../ui/page-folder.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { runIdIn } from '../workspace/named-run.ts'
import { newFolder } from '../workspace/new-folder.ts'
import { runRecordIn } from '../workspace/workspace.ts'

interface UiExportOptions {
  readonly out: string
  readonly withImages?: true
  readonly store?: string
}

/** `zeroshift ui export RUN...`: the same results in the store give the same bytes. */
export async function uiExport(
  words: readonly string[],
  { out, withImages, store }: UiExportOptions,
): Promise<number> {
  const artifacts = await artifactsIn(store)
  const records = await inOrder(words, async (word) =>
    runRecordIn(artifacts, await runIdIn(artifacts.store, word)),
  )
  await newFolder(out, async (folder) => {
    const files = await exportFiles({
      artifacts,
      page: await readPage(await pageFolder(undefined)),
      version: environmentHere(undefined).zeroshift ?? '',
      runs: records.map(({ id }) => id),
      withImages: withImages ?? false,
    })
    for (const [path, bytes] of files) {
      const file = join(folder, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, bytes)
    }
  })
  print(resolve(out, 'index.html'))
  return 0
}
