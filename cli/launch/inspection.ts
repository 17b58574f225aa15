import type { CheckpointFacts } from '../../experiment/models/pretrained.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import type { InspectedModel, WantedModel } from '../../activities/inputs/given-model.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import type { ChangedCode, CodeName } from '../../experiment/stages/code.ts'
import type { ModelInput } from '../../experiment/models/define-model.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { PluginOptions, PluginRef } from '../../experiment/spec/plugin.ts'
import { layersOfPlugin, readerFor } from '../plugins/load.ts'

/** The names of all samples of a data set. Data sets without names have none. */
export interface SampleNames {
  readonly names?: readonly string[] | undefined
  /** The number of samples from training files, which come first. */
  readonly trainable: number
}

/** Reads the facts that a plan depends on: data sets, checkpoints and the code itself. */
export interface Inspection {
  data(spec: DataSpec, settings: RunInput['settings']): Promise<DatasetFacts>
  /** Returns the class of each sample, training files first. */
  labels(spec: DataSpec, settings: RunInput['settings']): Promise<ArrayLike<number>>
  /** `revision` identifies the content permanently, such as the commit of a hub's repository. */
  checkpoint(
    settings: Pick<RunInput['settings'], 'modelDirectory'>,
  ): Promise<{ readonly facts: CheckpointFacts; readonly revision?: string }>
  /** Returns the names of the samples, training files first. */
  names(spec: DataSpec, settings: RunInput['settings']): Promise<SampleNames>
  /** Returns what the files of a model contain that was made elsewhere. Throws a UserError. */
  model(place: string, wanted: WantedModel): Promise<InspectedModel>
  /** Returns the layers of the model that a plug-in defines. Throws a UserError. */
  layers(plugin: PluginRef, input: ModelInput, options: PluginOptions): Promise<readonly Layer[]>
  /** Returns the digests of those stage bodies whose code differs from the lock. */
  code(names: readonly CodeName[]): Promise<ChangedCode>
}

/**
 * Returns the inspection of this machine's files and of those that URLs name. `notify` receives
 * lines about downloads. The readers are loaded when they are needed.
 */
export function createInspection(notify?: (line: string) => void): Inspection {
  return {
    async data(spec, settings) {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { inspectDataset } = await import('../../datasets/index.ts')
      const { checkedPictures: decodingCache } = await import('../../activities/inputs/checked-pictures.ts')
      const plugin = await readerFor(spec)
      const directory = await findDataDirectory(spec, settings, notify, plugin)
      return inspectDataset(spec, directory, { notify, decodingCache, plugin })
    },
    async labels(spec, settings) {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { readDataset } = await import('../../datasets/index.ts')
      const { checkedPictures: decodingCache } = await import('../../activities/inputs/checked-pictures.ts')
      const plugin = await readerFor(spec)
      const directory = await findDataDirectory(spec, settings, notify, plugin)
      return (await readDataset(spec, directory, { inMemoryBytes: 0, decodingCache, plugin })).labels
    },
    async names(spec, settings) {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { readDataset } = await import('../../datasets/index.ts')
      const { checkedPictures: decodingCache } = await import('../../activities/inputs/checked-pictures.ts')
      const plugin = await readerFor(spec)
      const directory = await findDataDirectory(spec, settings, notify, plugin)
      const { names, trainable } = await readDataset(spec, directory, {
        inMemoryBytes: 0,
        decodingCache,
        plugin,
      })
      return { names, trainable }
    },
    async model(place, wanted) {
      const { inspectModel } = await import('../../activities/inputs/given-model.ts')
      return inspectModel(place, wanted, notify)
    },
    async checkpoint({ modelDirectory }) {
      const { findCheckpoint } = await import('../../activities/inputs/checkpoint-directory.ts')
      const { inspectCheckpoint } = await import('../../pretrained/read.ts')
      const { directory, revision } = await findCheckpoint(modelDirectory, notify)
      return { facts: await inspectCheckpoint(directory), ...(revision !== undefined && { revision }) }
    },
    layers: (plugin, input, options) => layersOfPlugin(plugin, input, options),
    async code(names) {
      const { changedCode } = await import('../../activities/runtime/code-digests.ts')
      return changedCode(names)
    },
  }
}
