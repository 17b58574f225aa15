import { writeCheckpoint } from '../../pretrained/write.ts'
import { adaptedModel, readAdapter, readBase } from '../adapters/adapter-base.ts'
import { newFolder } from '../workspace/new-folder.ts'
import { print } from '../output/print.ts'

interface AdapterMergeOptions {
  readonly base: string
  readonly out: string
}

/**
 * `zeroshift adapter merge`: writes the base checkpoint with the adapter folded in. transformers
 * loads it without PEFT.
 */
export async function mergeAdapter(adapter: string, { base, out }: AdapterMergeOptions): Promise<number> {
  const files = await readAdapter(adapter)
  const model = adaptedModel(await readBase(base), files)
  await newFolder(out, (folder) => writeCheckpoint(folder, model))
  print(out)
  return 0
}
