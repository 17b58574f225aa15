import { findCheckpoint } from '../../activities/inputs/checkpoint-directory.ts'
import { readLabels } from '../../pretrained/labels.ts'
import { inspectCheckpoint, readCheckpoint } from '../../pretrained/read.ts'
import { adapterOf, readPeft, withAdapter, type Adapter, type PeftFiles } from '../../pretrained/read-peft.ts'
import type { WrittenModel } from '../../pretrained/write.ts'
import { UserError } from '../../common/errors.ts'
import { printError } from '../output/print.ts'
import { refuseUrl } from '../workspace/refuse-url.ts'

/** Reads the files of an adapter in a folder of this machine. Throws a UserError. */
export async function readAdapter(directory: string): Promise<PeftFiles> {
  refuseUrl(directory, 'the adapter')
  return readPeft(directory)
}

/** Reads the model that an adapter is for. `source` is a directory or a URL of a checkpoint. */
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

/** Returns the updates of the base model that an adapter's files describe. */
export function adapterFor(base: WrittenModel, files: PeftFiles): Adapter {
  return adapterOf(files, base.architecture, base.labels.length)
}

/**
 * Returns the base model with the adapter folded in. An adapter with its own head keeps the names
 * of the base's classes only if it has the same number of classes.
 */
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
