import { decodeTensors, encodeTensors } from '../../artifacts/format/safetensors.ts'
import { UserError } from '../../common/errors.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import { filesDigest, type GivenFiles } from '../../experiment/spec/given.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import type { Tensors } from '../../learning/model/parameters.ts'
import { adapterOf, readPeft, withAdapter } from '../../pretrained/read-peft.ts'
import { plannedFiles, readGivenLogits, readTensors } from '../inputs/given-model.ts'
import { output } from '../runtime/blob-codecs.ts'
import { floats } from '../runtime/device.ts'
import type { StageContext, StageWork } from '../runtime/stage.ts'
import { encodeGivenLogits } from './given-logits.ts'

interface Params {
  readonly given: GivenFiles
  readonly model?: ModelSpec
}

/** Stores the weights or the logits of a model that was made elsewhere. */
export async function storeGivenFiles(
  { settings, artifacts, inputs, timed }: StageContext<'checkpoint'>,
  { given, model }: Params,
): Promise<StageWork<'checkpoint'>> {
  const directory = await plannedFiles(settings.places?.[filesDigest(given.files)], given.files)
  if (given.kind === 'logits') {
    const { result, seconds } = await timed(() => readGivenLogits(directory, given))
    return { outputs: { logits: encodeGivenLogits(result) }, metrics: { parameters: 0 }, seconds }
  }
  const { result, seconds } = await timed(async () => {
    if (given.kind === 'weights') return floatsIn(await readTensors(directory, given.files[0]?.name ?? ''))
    const { dataset, original } = inputs
    if (!dataset || !original || model?.name !== 'pretrained')
      throw new Error('an adapter needs the original of a pre-trained model')
    const { architecture } = checkpointOf(model)
    const files = await readPeft(directory)
    refuseOtherBase(files.metadata, original, directory)
    const adapter = adapterOf(files, architecture, dataset.params.facts.classes.length)
    const { tensors } = decodeTensors(await artifacts.getBlob(output(original, 'model')))
    return withAdapter(floatsIn(tensors), adapter, architecture)
  })
  const parameters = Object.values(result).reduce((sum, { values }) => sum + values.length, 0)
  return { outputs: { model: encodeTensors(floats(result)) }, metrics: { parameters }, seconds }
}

/** The tensors of floating-point numbers, as float32. Others are left out. */
function floatsIn(tensors: ReturnType<typeof decodeTensors>['tensors']): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, { shape, values }]) =>
      values instanceof Float32Array ? [[name, { shape, values }]] : [],
    ),
  )
}

/** Throws a UserError if an adapter says that it was trained on another original. */
function refuseOtherBase(
  { 'zeroshift.original': trainedOn }: Readonly<Record<string, string>>,
  original: Manifest,
  directory: string,
): void {
  const { sha256 } = output(original, 'model')
  if (trainedOn !== undefined && trainedOn !== sha256)
    throw new UserError(
      `${directory}: the adapter changes the model with the SHA-256 ${trainedOn}, and the original of this experiment has ${sha256}; ` +
        'give the original that the adapter was trained on as original.from',
    )
}
