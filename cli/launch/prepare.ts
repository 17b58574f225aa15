import { checkSpec, resolveClasses, setSizes } from '../../experiment/spec/check.ts'
import { located, parseConfig, type ParsedConfig } from '../../experiment/spec/config.ts'
import type { CheckpointFacts } from '../../experiment/models/pretrained.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { UserError } from '../../common/errors.ts'
import { ascending, checkIndices, indicesOf } from '../../experiment/spec/indices.ts'
import { codeNamesOf, type ChangedCode, type CodeName } from '../../experiment/stages/code.ts'
import { plan, type Plan } from '../../experiment/plan/plan.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { runId, type RunInput } from '../../experiment/records/run.ts'
import { refuseTooLarge } from '../../experiment/plan/run-size.ts'
import {
  isElsewhere,
  withoutPlaces,
  type DataSpec,
  type ModelSpec,
  type Spec,
  type SplitSpec,
} from '../../experiment/spec/spec.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { formatSource, parseSource } from '../../sources/source.ts'
import { absolutePath, absoluteFromConfig, storeFor, trackingHere } from '../workspace/workspace.ts'

export interface ConfigSource {
  readonly config: string
  readonly overrides: readonly string[]
  readonly store?: string | undefined
}

/** Reads and checks the config without reading any data. Throws a UserError. */
export async function readConfig({ config, overrides }: ConfigSource): Promise<ParsedConfig> {
  return parseConfig({ file: config, text: await configText(config, "an experiment's"), overrides })
}

/** Four bytes for each of the characters that the parser accepts. */
const MOST_CONFIG_BYTES = 2 ** 22

/**
 * Returns the text of a config. `whose` says for the error if it is an experiment's or a sweep's.
 * Throws a UserError.
 */
export async function configText(config: string, whose: string): Promise<string> {
  try {
    const bytes = await readRegularFile(config, { mostBytes: MOST_CONFIG_BYTES })
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    const reason = error instanceof TypeError ? 'this is no UTF-8 text' : whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file: config, message: `${reason}; expected ${whose} YAML config` }])
  }
}

/**
 * Returns the settings with absolute paths, the store, and the tracking server of a running stack
 * if the config names none.
 */
export function runSettings(
  { config, overrides, store }: ConfigSource,
  parsed: ParsedConfig,
): RunInput['settings'] {
  const { settings } = parsed
  const pathOf = (key: 'store' | 'dataDirectory' | 'modelDirectory') => {
    const path = settings[key]
    const onCommandLine = overrides.some((text) => text.startsWith(`${key}=`))
    return path === undefined || onCommandLine ? path : absoluteFromConfig(config, path)
  }
  const source = (part: 'data' | 'model') => sourceOf(parsed.spec[part], part, { config, overrides })
  const dataDirectory = pathOf('dataDirectory') ?? source('data')
  const modelDirectory = pathOf('modelDirectory') ?? source('model')
  const tracking = settings.tracking ?? trackingHere()
  return {
    ...settings,
    ...(tracking && { tracking }),
    store: storeFor(store, pathOf('store')),
    ...(dataDirectory !== undefined && { dataDirectory: absolutePath(dataDirectory) }),
    ...(modelDirectory !== undefined && { modelDirectory: absolutePath(modelDirectory) }),
  }
}

/**
 * Returns the place of the data or of the checkpoint. A directory is relative to the config, or to
 * the working directory if the command line names it.
 */
function sourceOf(
  of: DataSpec | ModelSpec,
  part: 'data' | 'model',
  { config, overrides }: Pick<ConfigSource, 'config' | 'overrides'>,
): string | undefined {
  if (!('from' in of) || of.from === undefined) return undefined
  const onCommandLine = overrides.some((text) => new RegExp(`^${part}(\\.from)?=`).test(text))
  return onCommandLine || isElsewhere(of.from) ? of.from : absoluteFromConfig(config, of.from)
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
  /** Returns the digests of those stage bodies whose code differs from the lock. */
  code(names: readonly CodeName[]): Promise<ChangedCode>
}

export function createInspection(notify?: (line: string) => void): Inspection {
  return {
    async data(spec, settings) {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { inspectDataset } = await import('../../datasets/index.ts')
      const { checkedPictures: checked } = await import('../../activities/inputs/checked-pictures.ts')
      const directory = await findDataDirectory(spec, settings, notify)
      return inspectDataset(spec, directory, { notify, checked })
    },
    async labels(spec, settings) {
      const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
      const { readDataset } = await import('../../datasets/index.ts')
      const { checkedPictures: checked } = await import('../../activities/inputs/checked-pictures.ts')
      const directory = await findDataDirectory(spec, settings, notify)
      return (await readDataset(spec, directory, { inMemoryBytes: 0, checked })).labels
    },
    async checkpoint({ modelDirectory }) {
      const { findCheckpoint } = await import('../../activities/inputs/checkpoint-directory.ts')
      const { inspectCheckpoint } = await import('../../pretrained/read.ts')
      const { directory, revision } = await findCheckpoint(modelDirectory, notify)
      return { facts: await inspectCheckpoint(directory), ...(revision !== undefined && { revision }) }
    },
    async code(names) {
      const { changedCode } = await import('../../activities/runtime/code-digests.ts')
      return changedCode(names)
    },
  }
}

/**
 * Reads the data, checks the spec against it, and plans the stages. Returns the input of the run's
 * workflow. Throws a UserError.
 */
export async function prepare(
  source: ConfigSource,
  parsed: ParsedConfig,
  inspect: Inspection = createInspection(),
): Promise<RunInput> {
  const { locate } = parsed
  const { config, overrides } = source
  const settings = runSettings(source, parsed)
  try {
    const spec: Spec = {
      ...parsed.spec,
      split: await completeSplit(parsed.spec.split, source),
      model: await completeModel(parsed.spec.model, settings, inspect),
    }
    const facts = await inspect.data(spec.data, settings)
    checkSpec(spec, facts, locate)
    await checkForgotten(spec, facts, () => inspect.labels(spec.data, settings))
    const planned = await planWith(spec, facts, inspect)
    refuseTooLarge(planned, { isTracked: settings.tracking !== undefined })
    return {
      run: {
        id: runId(spec.name, planned),
        spec: withoutPlaces(spec),
        facts,
        plan: planned,
        command: { config, overrides },
      },
      settings,
    }
  } catch (error) {
    throw error instanceof UserError ? located(error, locate) : error
  }
}

/** Returns the plan. Its stages have the digests of the code that differs from the lock. */
async function planWith(spec: Spec, facts: DatasetFacts, inspect: Pick<Inspection, 'code'>): Promise<Plan> {
  const locked = plan(spec, facts)
  const changed = await inspect.code(codeNamesOf(stagesOf(locked)))
  return Object.keys(changed).length === 0 ? locked : plan(spec, facts, changed)
}

/**
 * Returns the model with the facts of its checkpoint, and with the commit instead of a branch of a
 * hub's repository.
 */
async function completeModel(
  model: ModelSpec,
  settings: RunInput['settings'],
  inspect: Inspection,
): Promise<ModelSpec> {
  if (model.name !== 'pretrained') return model
  const { facts, revision } = await inspect.checkpoint(settings)
  const source = model.from === undefined ? undefined : parseSource(model.from)
  const from =
    source?.kind === 'hf' && revision !== undefined ? formatSource({ ...source, revision }) : model.from
  return { ...model, ...(from !== undefined && { from }), checkpoint: facts }
}

/**
 * Returns the split with the indices of its file. The spec contains them, so that workers need no
 * file.
 */
async function completeSplit(split: SplitSpec, { config, overrides }: ConfigSource): Promise<SplitSpec> {
  if (split.kind !== 'indices') return split
  if (split.file === undefined)
    return { ...split, ...(split.indices && { indices: [...ascending(split.indices)] }) }
  const onCommandLine = overrides.some((text) => /^split(\.file)?=/.test(text))
  const path = onCommandLine ? split.file : absoluteFromConfig(config, split.file)
  const bytes = await readRegularFile(path).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([
      { path: 'split.file', message: `${path}: ${reason}; expected a text file of sample indices` },
    ])
  })
  const { sha256, indices } = indicesOf(bytes, path, split.sha256)
  return { ...split, sha256, indices: [...indices] }
}

/** Checks a split that depends on the random choice of the samples held out. Throws a UserError. */
async function checkForgotten(
  { split, data, seed }: Spec,
  facts: DatasetFacts,
  labelsOf: () => Promise<ArrayLike<number>>,
): Promise<void> {
  if (split.kind !== 'indices' && split.kind !== 'class-fraction') return
  const { partition } = await import('../../learning/partition.ts')
  const trainable = facts.train.reduce((sum, count) => sum + count, 0)
  const sizes = setSizes(data, facts)
  const drawn = () => partition(sizes, trainable, seed.data)
  if (split.kind === 'indices')
    checkIndices(split.indices ?? [], drawn(), split.file === undefined ? 'split.indices' : 'split.file')
  // If no samples are held out, experiment/spec/check.ts has checked this with the facts alone.
  else if (split.count !== undefined && sizes.train < trainable)
    checkCount(split.count, resolveClasses(split, facts), await labelsOf(), drawn().train)
}

function checkCount(
  count: number,
  classes: readonly number[],
  labels: ArrayLike<number>,
  train: Int32Array,
): void {
  const wanted = new Set(classes)
  const samples = train.filter((i) => wanted.has(labels[i] ?? -1)).length
  if (count > samples)
    throw new UserError([
      {
        path: 'split.count',
        message: `the classes have ${samples} training samples, and ${count} are to be forgotten; lower the count, hold less out, or name more classes`,
      },
    ])
}
