import { resolveClasses, setSizes } from '../../experiment/spec/sets.ts'
import { withoutPlaces } from '../../experiment/spec/places.ts'
import { checkSpec } from '../../experiment/spec/check.ts'
import { located, type ParsedConfig } from '../../experiment/spec/config.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { UserError } from '../../common/errors.ts'
import { ascending, checkIndices, indicesOf } from '../../experiment/spec/indices.ts'
import { namedSamples } from '../../experiment/spec/names.ts'
import { codeNamesOf } from '../../experiment/stages/code.ts'
import { plan } from '../../experiment/plan/plan.ts'
import type { Plan } from '../../experiment/plan/types.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { runId, type RunInput } from '../../experiment/records/run.ts'
import { refuseTooLarge } from '../../experiment/plan/run-size.ts'
import type { AnyModelSpec } from '../../experiment/spec/model.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import type { SplitSpec } from '../../experiment/spec/split.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { formatSource, parseSource } from '../../sources/source.ts'
import { completeGiven, placeOf } from './given-models.ts'
import { createInspection, type Inspection, type SampleNames } from './inspection.ts'
import { programFilesOf } from './program-files.ts'
import type { ConfigSource } from './read-config.ts'
import { runSettings } from './run-settings.ts'

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
    const read: Spec = {
      ...parsed.spec,
      split: await completeSplit(parsed.spec.split, source),
      model: await completeModel(parsed.spec.model, settings, source, inspect),
      methods: await completeMethods(parsed.spec.methods, source),
    }
    const facts = await inspect.data(read.data, settings)
    const named: Spec = {
      ...read,
      model: await completeLayers(read.model, facts, inspect),
      split: await completeNames(read, facts, source, () => inspect.names(read.data, settings)),
    }
    const { spec, places } = await completeGiven(named, facts, source, inspect)
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
      settings: { ...settings, ...(Object.keys(places).length > 0 && { places }) },
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
 * Returns the model with the facts of its checkpoint or of the files of its program, and with the
 * commit instead of a branch of a hub's repository.
 */
export async function completeModel(
  model: AnyModelSpec,
  settings: RunInput['settings'],
  { config }: ConfigSource,
  inspect: Inspection,
): Promise<AnyModelSpec> {
  if (model.name === 'external')
    return { ...model, packed: [...(await programFilesOf(config, model.files, 'model.files'))] }
  if (model.name !== 'pretrained') return model
  const { facts, revision } = await inspect.checkpoint(settings)
  const source = model.from === undefined ? undefined : parseSource(model.from)
  const from =
    source?.kind === 'hf' && revision !== undefined ? formatSource({ ...source, revision }) : model.from
  return { ...model, ...(from !== undefined && { from }), checkpoint: facts }
}

/** Returns the model of a plug-in with its layers for the data. Other models stay as they are. */
async function completeLayers(
  model: AnyModelSpec,
  { shape, classes }: DatasetFacts,
  inspect: Pick<Inspection, 'layers'>,
): Promise<AnyModelSpec> {
  if (model.name !== 'plugin' || !model.plugin) return model
  const layers = await inspect.layers(model.plugin, { shape, classes: classes.length }, model.options ?? {})
  return { ...model, layers }
}

/** Returns the rows. Those of external programs have the digests of their files. */
function completeMethods(methods: Spec['methods'], { config }: ConfigSource): Promise<Spec['methods']> {
  return Promise.all(
    methods.map(async (row, i) =>
      row.method === 'external'
        ? { ...row, packed: [...(await programFilesOf(config, row.files, `methods[${i}].files`))] }
        : row,
    ),
  )
}

/**
 * Returns the split with the indices of its file. The spec contains them, so that workers need no
 * file.
 */
async function completeSplit(split: SplitSpec, source: ConfigSource): Promise<SplitSpec> {
  if (split.kind !== 'indices') return split
  if (split.file === undefined)
    return { ...split, ...(split.indices && { indices: [...ascending(split.indices)] }) }
  const { path, bytes } = await listedFile(split.file, source, 'sample indices')
  const { sha256, indices } = indicesOf(bytes, path, split.sha256)
  return { ...split, sha256, indices: [...indices] }
}

/**
 * Returns a split by names with the numbers of the named samples, and whether one of them would be
 * set apart for validation or tests.
 */
async function completeNames(
  { split, data, seed }: Spec,
  facts: DatasetFacts,
  source: ConfigSource,
  namesOf: () => Promise<SampleNames>,
): Promise<SplitSpec> {
  if (split.kind !== 'names') return split
  const { path, bytes } = await listedFile(split.file, source, 'names of samples')
  const { names, trainable } = await namesOf()
  if (!names)
    throw new UserError([
      {
        path: 'split.kind',
        message: `the samples of ${facts.name} have no names; split by indices, or take the data from an image-folder or parquet files`,
      },
    ])
  const { sha256, indices } = namedSamples(bytes, path, { names, trainable, expected: split.sha256 })
  const { partition } = await import('../../learning/data/partition.ts')
  const sizes = setSizes(data, facts)
  const held = trainable - sizes.train
  if (held > trainable - indices.length)
    throw new UserError([
      {
        path: 'split.file',
        message: `${path} names ${indices.length} of ${trainable} training samples, and ${held} are to be set apart for validation and tests; name fewer, or set fewer apart`,
      },
    ])
  const drawn = new Set(partition(sizes, trainable, seed.data).train)
  const isKept = indices.some((index) => !drawn.has(index))
  return { ...split, sha256, indices: [...indices], ...(isKept && { kept: true }) }
}

/** Reads a text file that a split names. `what` says for the error what is expected in it. */
async function listedFile(
  file: string,
  source: ConfigSource,
  what: string,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const path = placeOf(file, 'split.file', source)
  const bytes = await readRegularFile(path).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([
      { path: 'split.file', message: `${path}: ${reason}; expected a text file of ${what}` },
    ])
  })
  return { path, bytes }
}

/** Checks a split that depends on the random choice of the samples held out. Throws a UserError. */
async function checkForgotten(
  { split, data, seed }: Spec,
  facts: DatasetFacts,
  labelsOf: () => Promise<ArrayLike<number>>,
): Promise<void> {
  if (split.kind !== 'indices' && split.kind !== 'class-fraction') return
  const { partition } = await import('../../learning/data/partition.ts')
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
