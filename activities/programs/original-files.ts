import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import type { FolderContent } from '../../programs/folder.ts'
import { checkpointFiles } from '../../pretrained/write.ts'
import type { TaskInput } from '../../programs/task-directory.ts'
import { output } from '../runtime/blob-codecs.ts'

/**
 * The files of the original as a method's program gets them: what the original's program left, the
 * weights of a built-in model, or a pre-trained model in the layout of transformers.
 */
export async function originalFiles(
  artifacts: Artifacts,
  original: ManifestOf<'train'>,
  model: ModelSpec | undefined,
  { classes }: DatasetFacts,
): Promise<FolderContent> {
  if (!model) return artifacts.getBlob(output(original, 'files'))
  const bytes = await artifacts.getBlob(output(original, 'model'))
  if (model.name !== 'pretrained') return { 'model.safetensors': bytes }
  const { architecture, preparation } = checkpointOf(model)
  const { tensors } = decodeTensors(bytes)
  const parameters = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' ? [[name, tensor] as const] : [],
  )
  return checkpointFiles({
    architecture,
    preparation,
    parameters: Object.fromEntries(parameters),
    labels: classes,
  })
}

/** The section `model` of the config, as programs get it. */
export function architectureOf(model: ModelSpec): NonNullable<Task['architecture']> {
  return JSON.parse(JSON.stringify(model)) as NonNullable<Task['architecture']>
}

type Task = Extract<TaskInput, { readonly task: 'unlearn' }>
