import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportedAdapter } from '../adapters/exported-adapter.ts'
import { writeCheckpoint } from '../../pretrained/write.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { runIdIn } from '../workspace/named-run.ts'
import { newFolder } from '../workspace/new-folder.ts'
import { runRecordIn } from '../workspace/workspace.ts'
import { print } from '../output/print.ts'

interface AdapterExportOptions {
  readonly out: string
  readonly store?: string
}

/**
 * `zeroshift adapter export`: writes the original model of a run and a method's adapter, as
 * transformers and PEFT load them. The adapter belongs to the original model, which was trained
 * from the run's checkpoint, and not to that checkpoint.
 */
export async function exportAdapter(
  word: string,
  label: string | undefined,
  { out, store }: AdapterExportOptions,
): Promise<number> {
  const artifacts = await artifactsIn(store)
  const run = await runRecordIn(artifacts, await runIdIn(artifacts.store, word))
  const { base, files } = await exportedAdapter(artifacts, run, label)
  await newFolder(out, async (folder) => {
    await writeCheckpoint(join(folder, 'base'), base)
    await mkdir(join(folder, 'adapter'))
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, 'adapter', name), bytes)
  })
  print(join(out, 'base'))
  print(join(out, 'adapter'))
  return 0
}
