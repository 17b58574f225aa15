import { modelName } from '../../experiment/spec/model.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import type { WrittenModel } from '../../pretrained/write.ts'
import type { CheckpointFacts, Preparation } from '../../experiment/models/pretrained.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { UserError } from '../../common/errors.ts'
import type { ManifestOf, ModelManifest } from '../../experiment/records/manifest.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import { output, readDataset } from '../../activities/runtime/blob-codecs.ts'

const CONFIG = 'adapter_config.json'
const WEIGHTS = 'adapter_model.safetensors'

export interface ExportedAdapter {
  readonly label: string
  /** The original model, which the adapter is for. */
  readonly base: WrittenModel
  /** The adapter's files by their names. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/**
 * Returns a method's adapter of the first seed, and the model that it adapts. The run must use a
 * pre-trained model, whose layers other libraries know. Throws a UserError if there is no adapter,
 * or if there are several and no label selects one.
 */
export async function exportedAdapter(
  artifacts: Artifacts,
  run: RunRecord,
  label: string | undefined,
): Promise<ExportedAdapter> {
  const {
    id,
    spec: { model },
    plan,
  } = run
  if (model.name !== 'pretrained')
    throw new UserError(
      `the run ${id} is of Zeroshift's own model ${modelName(model)}, which transformers and PEFT do not know; ` +
        'expected a run of a pre-trained one (model.name: pretrained)',
    )
  const unlearned = await Promise.all(
    plan.candidates.map(async (candidate) => ({
      label: candidate.label,
      manifest: candidate.unlearn && (await artifacts.complete(candidate.unlearn)),
    })),
  )
  const { manifest, ...chosen } = choose(id, unlearned, label)
  const original = await manifestOf(artifacts, manifest.inputs.original)
  return {
    label: chosen.label,
    base: await writtenModel(artifacts, run, checkpointOf(model), original),
    files: {
      [CONFIG]: await artifacts.getBlob(output(manifest, CONFIG)),
      [WEIGHTS]: await artifacts.getBlob(output(manifest, WEIGHTS)),
    },
  }
}

/**
 * Returns the model of a stage of a run on a pre-trained model, for a checkpoint that transformers
 * loads.
 */
export async function writtenModel(
  artifacts: Artifacts,
  { facts, plan }: Pick<RunRecord, 'facts' | 'plan'>,
  { architecture, preparation }: CheckpointFacts,
  manifest: ModelManifest,
): Promise<WrittenModel> {
  const dataset = await manifestOf(artifacts, plan.dataset)
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, 'model')))
  const parameters = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' ? [[name, tensor] as const] : [],
  )
  return {
    architecture,
    preparation: {
      ...preparation,
      normalise:
        preparation.normalise ?? (await ownScale(artifacts, dataset, whiteOf(facts), architecture.channels)),
    },
    parameters: Object.fromEntries(parameters),
    labels: facts.classes,
  }
}

interface Unlearned {
  readonly label: string
  readonly manifest: ManifestOf<'unlearn'> | undefined
}

function choose(id: string, candidates: readonly Unlearned[], label: string | undefined) {
  const adapted = candidates.flatMap(({ label, manifest }) =>
    manifest?.outputs[WEIGHTS] ? [{ label, manifest }] : [],
  )
  const names = adapted.map((one) => one.label).join(', ')
  if (adapted.length === 0)
    throw new UserError(`the run ${id} has no adapter: no method that trains one has finished`)
  const [first, ...others] = label === undefined ? adapted : adapted.filter((one) => one.label === label)
  if (!first) throw new UserError(`the run ${id} has no adapter "${label ?? ''}"; it has ${names}`)
  if (others.length > 0) throw new UserError(`the run ${id} has several adapters, name one: ${names}`)
  return first
}

async function manifestOf<R extends StageRef>(artifacts: Artifacts, ref: R) {
  const manifest = await artifacts.manifest<R['kind']>(ref)
  if (!manifest)
    throw new Error(`the stage ${ref.kind} ${ref.key.slice(0, 12)} is not in ${artifacts.store.url}`)
  return manifest
}

/**
 * Returns the data set's own mean and deviation as fractions of white, for a checkpoint without
 * normalisation. A grey image has the same value in every channel.
 */
async function ownScale(
  artifacts: Artifacts,
  dataset: ManifestOf<'dataset'>,
  white: number,
  channels: number,
): Promise<NonNullable<Preparation['normalise']>> {
  const { mean, deviation } = await readDataset(artifacts, dataset)
  const each = (values: Float32Array) =>
    Array.from({ length: channels }, (_, i) => (values[i] ?? values[0] ?? NaN) / white)
  return { mean: each(mean), deviation: each(deviation) }
}
