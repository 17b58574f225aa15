import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors } from '../../artifacts/format/safetensors.ts'
import { checkpointOf, layersOf } from '../../experiment/models/model.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import type { ProgramResult } from '../../experiment/spec/program.ts'
import { parameterSpecs, type Tensors } from '../../learning/model/parameters.ts'
import { fromPublished, publishedShapes } from '../../pretrained/from-published.ts'
import { adapterOf, readPeft, withAdapter } from '../../pretrained/read-peft.ts'
import { readAdapterResult, readWeightsResult } from '../../programs/result.ts'
import { output } from '../runtime/blob-codecs.ts'
import { floats } from '../runtime/device.ts'

interface ResultContext {
  readonly artifacts: Artifacts
  readonly model: ModelSpec
  readonly facts: DatasetFacts
  readonly original: ManifestOf<'train'>
}

/**
 * Reads the weights or the adapter that a program left, and returns the outputs of its stage: the
 * weights under the names of Zeroshift, and the adapter if there is one.
 */
export async function readModel(
  folder: string,
  result: ProgramResult,
  context: ResultContext,
): Promise<Readonly<Record<string, Uint8Array>>> {
  if (result === 'adapter') return adapted(folder, context)
  return { model: encodeTensors(floats(await weightsIn(folder, context))) }
}

async function weightsIn(folder: string, { model, facts }: ResultContext): Promise<Tensors> {
  const { shape, classes } = facts
  if (model.name === 'pretrained') {
    const { architecture } = checkpointOf(model)
    const tensors = await readWeightsResult(folder, publishedShapes(architecture, classes.length))
    return fromPublished(tensors, architecture, classes.length)
  }
  const { trained, statistics } = parameterSpecs(layersOf(model, shape, classes.length))
  return readWeightsResult(folder, [...trained, ...statistics])
}

/** Merges the adapter of a pre-trained model into the original. */
async function adapted(
  folder: string,
  { artifacts, model, facts, original }: ResultContext,
): Promise<Readonly<Record<string, Uint8Array>>> {
  if (model.name !== 'pretrained')
    throw new Error(`an adapter for ${model.name}, which has no layout of PEFT`)
  const { architecture } = checkpointOf(model)
  const files = await readAdapterResult(folder)
  const adapter = adapterOf(await readPeft(folder), architecture, facts.classes.length)
  const { tensors } = decodeTensors(await artifacts.getBlob(output(original, 'model')))
  const parameters = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' ? [[name, tensor] as const] : [],
  )
  const merged = withAdapter(Object.fromEntries(parameters), adapter, architecture)
  return { model: encodeTensors(floats(merged)), ...files }
}
