import { findCheckpoint } from '../../activities/inputs/checkpoint-directory.ts'
import { readLabels } from '../../pretrained/labels.ts'
import { inspectCheckpoint, readCheckpoint } from '../../pretrained/read.ts'
import { adapterOf, readPeft, withAdapter, type Adapter, type PeftFiles } from '../../pretrained/read-peft.ts'
import type { WrittenModel } from '../../pretrained/write.ts'
import { UserError } from '../../common/errors.ts'
import { printError } from '../output/print.ts'
import { refuseUrl } from '../workspace/refuse-url.ts'

/** The files of an adapter in a folder of this machine. Throws a UserError. */
export async function readAdapter(directory: string): Promise<PeftFiles> {
  refuseUrl(directory, 'the adapter')
  return readPeft(directory)
}

/** The model that an adapter is for: a directory or what else names a checkpoint. */
export async function readBase(source: string): Promise<WrittenModel> {
  const { directory } = await findCheckpoint(source, (line) => {
    printError(line)
  })
  const facts = await inspectCheckpoint(directory)
  return {
    architecture: facts.architecture,
    preparation: facts.preparation,
    parameters: await readCheckpoint(directory, facts),
    labels: await readLabels(directory, facts.classes),
  }
}

/** What an adapter does to it. */
export function adapterFor(base: WrittenModel, files: PeftFiles): Adapter {
  return adapterOf(files, base.architecture, base.labels.length)
}

/** The model with the adapter folded in. Classes of a head of its own have the base's names only where they are as many. */
export function adaptedModel(base: WrittenModel, files: PeftFiles): WrittenModel {
  const adapter = adapterFor(base, files)
  if (adapter.classes === 0)
    throw new UserError(
      'neither the checkpoint nor the adapter has a head that classifies; expected one that has',
    )
  const labels =
    adapter.classes === base.labels.length
      ? base.labels
      : Array.from({ length: adapter.classes }, (_, i) => `LABEL_${i}`)
  return { ...base, parameters: withAdapter(base.parameters, adapter, base.architecture), labels }
}
