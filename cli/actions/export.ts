import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'
import { storedOutcomes } from '../../activities/outcomes.ts'
import { manifestsOf, renderRun } from '../../activities/report.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import { output, readDataset } from '../../activities/runtime/blob-codecs.ts'
import { sha256 } from '../../common/canonical.ts'
import { checkpointOf, layersOf } from '../../experiment/models/model.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { writeCheckpoint } from '../../pretrained/write.ts'
import { writtenModel } from '../adapters/exported-adapter.ts'
import { chosenModel, type ChosenModel } from '../export/chosen-model.ts'
import { modelCard } from '../export/model-card.ts'
import { torchFiles } from '../export/torch-model.ts'
import { print } from '../output/print.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { runIdIn } from '../workspace/named-run.ts'
import { newFolder } from '../workspace/new-folder.ts'
import { runRecordIn } from '../workspace/workspace.ts'

interface ExportOptions {
  readonly out: string
  readonly store?: string
}

/**
 * `zeroshift export`: writes the model of a method, of the first seed: for a pre-trained model as
 * transformers loads it, and for Zeroshift's own models with a PyTorch module. The folder also has
 * a model card and the digests of all files.
 */
export async function exportModel(
  word: string,
  method: string,
  { out, store }: ExportOptions,
): Promise<number> {
  const artifacts = await artifactsIn(store)
  const run = await runRecordIn(artifacts, await runIdIn(artifacts.store, word))
  const chosen = await chosenModel(artifacts, run, method)
  const { digest: report, results } = await renderRun(artifacts, run, run.failed ?? [], storedOutcomes)
  const manifests = await manifestsOf(artifacts, run)
  const split = manifests[run.plan.split.key]
  await newFolder(out, async (folder) => {
    const usage = await writeModel(folder, artifacts, run, chosen)
    const files = await digestsIn(folder)
    const card = modelCard({
      ...chosen,
      ...{ run, results, report, files, usage },
      split: split?.kind === 'split' ? split : undefined,
    })
    await writeFile(join(folder, 'README.md'), card)
    const all = Object.entries(await digestsIn(folder))
    await writeFile(join(folder, 'SHA256SUMS'), all.map(([name, digest]) => `${digest}  ${name}\n`).join(''))
  })
  print(out)
  return 0
}

/** Writes the weights and what loads them. Returns the Python that does. */
async function writeModel(
  folder: string,
  artifacts: Artifacts,
  run: RunRecord,
  { manifest }: ChosenModel,
): Promise<string> {
  const { spec, facts } = run
  if (spec.model.name === 'external' || manifest.outputs.model === undefined)
    throw new UserError(
      `the model of this row has no weights that Zeroshift knows, but its outputs alone; ` +
        'export a row of a method that leaves weights',
    )
  if (spec.model.name === 'pretrained') {
    await writeCheckpoint(folder, await writtenModel(artifacts, run, checkpointOf(spec.model), manifest))
    return 'from transformers import AutoModelForImageClassification\n\nmodel = AutoModelForImageClassification.from_pretrained(".")'
  }
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, 'model')))
  const dataset = await artifacts.manifest(run.plan.dataset)
  if (!dataset) throw new Error(`the data set of ${run.id} is not in ${artifacts.store.url}`)
  const { mean, deviation } = await readDataset(artifacts, dataset)
  const white = whiteOf(facts)
  const fractions = (values: Float32Array) => Array.from(values, (value) => value / white)
  const files = await torchFiles({
    model: spec.model,
    layers: layersOf(spec.model, facts.shape, facts.classes.length),
    tensors,
    shape: facts.shape,
    classes: facts.classes,
    normalise: { mean: fractions(mean), deviation: fractions(deviation) },
  })
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
  return 'from model import load\n\nmodel = load()\nlogits = model(images)  # [n, channels, height, width], from 0 to 1'
}

/** Returns the SHA-256 of the files of a folder, by name. */
async function digestsIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort()
  const digests = await Promise.all(
    names.map(async (name) => [name, sha256(await readFile(join(folder, name)))] as const),
  )
  return Object.fromEntries(digests)
}
