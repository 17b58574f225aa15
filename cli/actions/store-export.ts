import { size } from '../../common/size.ts'
import { readIntact } from '../../artifacts/copy/plan-copy.ts'
import { objectsIn } from '../../artifacts/copy/archive-objects.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import { writeArchive } from '../../artifacts/copy/archive.ts'
import { idsIn } from '../workspace/named-run.ts'
import { showCopy } from '../output/copy-progress.ts'
import { counted } from '../output/format.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, print, printJson, pathOrUrl } from '../output/print.ts'
import { flawIn } from './store-copy.ts'

interface StoreExportOptions {
  readonly run?: readonly string[]
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift store export FILE`: writes runs with everything that they need to one tar file. The
 * same runs give the same bytes.
 */
export async function exportStore(
  file: string,
  { run, json, store: named }: StoreExportOptions,
): Promise<number> {
  const store = openStore(storeFor(named))
  const contents = await readIntact(store, {
    ...(run && { ids: await idsIn(store, run) }),
    reportFlaw: flawIn(store),
  })
  const objects = objectsIn(store, contents)
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
  const shown = await showCopy(json ? process.stderr : process.stdout)
  const done = { objects: 0, bytes: 0 }
  try {
    await writeArchive(file, objects, (object) => {
      done.objects += 1
      done.bytes += object.bytes
      shown.onProgress({
        objects: { done: done.objects, all: objects.length },
        bytes: { done: done.bytes, all: bytes },
      })
    })
  } finally {
    shown.end()
  }
  const { runs, stages, sweeps } = contents
  const counts = { runs: runs.size, sweeps: sweeps.size, stages: stages.size, bytes }
  if (json) printJson({ store: store.url, file, ...counts })
  else
    print(
      coloursOf(process.stdout).green(
        `${file}: ${counted(runs.size, 'run')}, ${counted(stages.size, 'stage')}, ${size(bytes)} from ${pathOrUrl(store.url)}`,
      ),
    )
  return 0
}
