import { z } from 'zod'
import { findingsOf, type Finding } from './config-issues.ts'
import { applyOverrides, overrideName } from './config-overrides.ts'
import { readYaml } from './config-yaml.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { formatPath, parsePath, startsWith, valueAt, type Locate, type Path } from '../../common/path.ts'
import { noPlugins, type Plugins } from './plugin.ts'
import { pluginFindings, withPlugins } from './plugin-places.ts'
import { configSchema, configSchemaWith, specSchema, type Spec } from './spec.ts'
import { settingsSchema, type Settings } from './settings.ts'
import { scoreNames } from '../records/scores.ts'
import type { DataSpec } from './data.ts'
import type { AnyModelSpec } from './model.ts'
import type { SplitSpec } from './split.ts'
import type { TrainingSpec } from './training.ts'

export interface ConfigSource {
  /** The name of the file in errors. The file is not read. */
  readonly file: string
  readonly text: string
  /** Overrides such as `methods[2].rank=8`, applied in order. */
  readonly overrides?: readonly string[]
  /** The plug-ins that the config names. None unless given. */
  readonly plugins?: Plugins
}

export interface ParsedConfig {
  readonly spec: Spec
  readonly settings: Settings
  /** The place of a part of the config, or of the part that encloses it if it is not given. */
  readonly locate: Locate
}

/** Parses and checks a config. Throws one UserError with every problem in it. */
export function parseConfig({
  file,
  text,
  overrides: texts = [],
  plugins = noPlugins,
}: ConfigSource): ParsedConfig {
  const yaml = readYaml(text, file)
  if (yaml.value === undefined) throw new UserError(yaml.problems)
  const { value, overrides, problems } = applyOverrides(yaml.value, texts)

  const locateWith =
    (inFile: Locate): Locate =>
    (path) => {
      const isInFile = path.length === 0 || valueAt(yaml.value, path) !== undefined
      const override = overrides.findLast(
        // An override also creates the mappings on the way to its path.
        (override) => startsWith(path, override.path) || (!isInFile && startsWith(override.path, path)),
      )
      return override ? { file: overrideName(override.text) } : inFile(path)
    }
  const locate = locateWith(yaml.locate)
  const locateKey = locateWith(yaml.locateKey)

  const schema = plugins === noPlugins ? configSchema : configSchemaWith(plugins)
  const asSpec = withPlugins(value, plugins)
  const findings =
    value === null
      ? [empty]
      : [...findingsOf(schema, value), ...pluginFindings(value, plugins), ...crossChecks(asSpec)]
  const all = [
    ...yaml.problems,
    ...problems,
    ...findings.map(({ message, path, at }): Problem => {
      const place = at === 'key' ? locateKey(path) : locate(path)
      return path.length > 0 ? { ...place, message, path: formatPath(path) } : { ...place, message }
    }),
  ]
  if (all.length > 0) throw new UserError(all.sort(byPlace))

  return {
    spec: z.object(specSchema.shape).parse(asSpec),
    settings: z.object(settingsSchema.shape).parse(value),
    locate,
  }
}

/**
 * The error with the places of its problems, derived from their config paths if they have none yet.
 */
export function located(error: UserError, locate: Locate): UserError {
  return new UserError(
    error.problems.map((problem) => {
      const path =
        problem.path === undefined || problem.file !== undefined ? undefined : parsePath(problem.path)
      return path ? { ...problem, ...locate(path) } : problem
    }),
  )
}

const empty = wrong([], 'the config is empty; it needs name, data, split, model, training and methods')

/** Compares problems by their places: in the order of the file, with overrides last. */
function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0)
}

/**
 * Checks across several keys, which a schema cannot express. Each part is checked on its own, so
 * that an error in one part hides none in another.
 */
export function crossChecks(config: unknown): readonly Finding[] {
  const part = <K extends keyof Spec>(key: K, check: (value: NonNullable<Spec[K]>) => readonly Finding[]) => {
    const value = (config as Readonly<Record<string, unknown>>)[key]
    const parsed = specSchema.shape[key].safeParse(value)
    return parsed.success && value !== undefined ? check(parsed.data as NonNullable<Spec[K]>) : []
  }
  return [
    ...part('data', checkData),
    ...part('split', checkSplit),
    ...part('model', checkDepth),
    ...part('training', checkTraining),
    ...part('original', checkOriginal),
    ...part('gold', checkGold),
    ...checkGoldModels((config as Readonly<Record<string, unknown>>).gold),
    ...checkTrainingGiven(config),
    ...part('methods', checkMethods),
    ...part('attack', checkScores),
    ...checkTracking((config as Readonly<Record<string, unknown>>).tracking),
  ]
}

function checkTracking(tracking: unknown): readonly Finding[] {
  const parsed = settingsSchema.shape.tracking.safeParse(tracking)
  if (!parsed.data) return []
  const { username, password } = new URL(parsed.data.uri)
  if (username === '' && password === '') return []
  return [
    wrong(
      ['tracking', 'uri'],
      'tracking.uri: the URL holds a user or a password, and it is recorded with the run; give them to the workers ' +
        'instead, as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD or as MLFLOW_TRACKING_TOKEN',
    ),
  ]
}

function checkData(data: DataSpec): readonly Finding[] {
  return [...checkFiles(data), ...checkClasses(data)]
}

/** Reports classes with the same name: a split by name would forget only one of them. */
function checkClasses(data: DataSpec): readonly Finding[] {
  const { classes = [] } = data.name === 'npz' ? data : {}
  return classes.flatMap((name, i) => {
    const earlier = classes.indexOf(name)
    return earlier < i
      ? [
          wrong(
            ['data', 'classes', i],
            `"${name}" is the name of class ${earlier} already; give each its own`,
          ),
        ]
      : []
  })
}

function checkFiles(data: DataSpec): readonly Finding[] {
  if (data.name !== 'cifar10') return []
  const files = (['train', 'test'] as const).flatMap((key) =>
    data[key].map((name, i) => ({ name, path: ['data', key, i] as Path })),
  )
  return files.flatMap(({ name, path }, i) => {
    if (/[/\\]/.test(name))
      return [wrong(path, `"${name}" is a path; give the file's name, and its directory as dataDirectory`)]
    const earlier = files.slice(0, i).find((file) => file.name === name)
    return earlier
      ? [wrong(path, `"${name}" is listed twice: it is ${formatPath(earlier.path)} already`)]
      : []
  })
}

function checkSplit(split: SplitSpec): readonly Finding[] {
  switch (split.kind) {
    case 'random':
    case 'hard':
      return eitherOf(split, 'fraction', 'count')
    case 'class':
      return repeated(split.classes, 'classes', 'class')
    case 'class-fraction':
      return [...eitherOf(split, 'fraction', 'count'), ...repeated(split.classes, 'classes', 'class')]
    case 'names':
      return []
    case 'indices':
      return [
        ...eitherOf(split, 'indices', 'file'),
        ...repeated(split.indices ?? [], 'indices', 'sample'),
        ...(split.sha256 !== undefined && split.file === undefined
          ? [wrong(['split', 'sha256'], 'split.sha256 is that of a file, and no file is given; remove it')]
          : []),
      ]
  }
}

function eitherOf<S extends Exclude<SplitSpec, { kind: 'names' }>>(
  split: S,
  one: keyof S & string,
  other: keyof S & string,
): Finding[] {
  const given = [split[one], split[other]].filter((value) => value !== undefined).length
  if (given === 1) return []
  const article = split.kind === 'indices' ? 'an' : 'a'
  const found = given === 0 ? 'neither' : 'both'
  return [wrong(['split'], `${article} ${split.kind} split takes either ${one} or ${other}; ${found} given`)]
}

function repeated(values: readonly (string | number)[], key: string, noun: string): Finding[] {
  const first = new Map<string | number, number>()
  return values.flatMap((value, i) => {
    if (!first.has(value)) {
      first.set(value, i)
      return []
    }
    return [wrong(['split', key, i], `${noun} ${value} is listed twice; remove one`)]
  })
}

/**
 * Checks the depth of a CIFAR ResNet: three stages of n blocks of two layers, a stem and a head (He
 * et al. 2016, section 4.2).
 */
function checkDepth(model: AnyModelSpec): readonly Finding[] {
  if (model.name !== 'resnet-cifar' || model.depth === 'resnet18' || (model.depth - 2) % 6 === 0) return []
  const below = model.depth - ((model.depth - 2) % 6)
  return [
    wrong(
      ['model', 'depth'],
      `model.depth: expected 6n + 2 (8, 14, 20, … 56) or resnet18, found ${model.depth}; the nearest are ${below} and ${below + 6}`,
    ),
  ]
}

function checkTraining({ epochs, warmupEpochs }: TrainingSpec): readonly Finding[] {
  return warmupEpochs < epochs
    ? []
    : [
        wrong(
          ['training', 'warmupEpochs'],
          `training.warmupEpochs: expected less than the ${epochs} epochs of the training, found ${warmupEpochs}`,
        ),
      ]
}

function checkOriginal(original: Spec['original']): readonly Finding[] {
  if (!original || original.from !== undefined || original.given) return []
  return [
    wrong(
      ['original'],
      'original.from is missing; expected the place of a trained model: a directory, a file, s3://… or hf://owner/name@revision',
    ),
  ]
}

function checkGold({ models, from, training, unseen }: Spec['gold']): readonly Finding[] {
  const hasStart = from !== undefined && training !== undefined
  return [
    ...(hasStart && from.length > 1
      ? [
          wrong(
            ['gold', 'from'],
            `gold's training starts from one checkpoint, and ${from.length} are named; name one, or leave training out if these are the gold models`,
          ),
        ]
      : []),
    ...(hasStart && unseen === undefined
      ? [
          wrong(
            ['gold', 'from'],
            'gold.from with gold.training is the checkpoint that gold starts from; if it never saw the forget set, declare that: unseen: true. Otherwise leave from out, and gold is trained from new weights',
          ),
        ]
      : []),
    ...(!hasStart && unseen !== undefined
      ? [
          wrong(
            ['gold', 'unseen'],
            'gold.unseen is about the checkpoint that gold starts from, which gold.from names beside gold.training; leave it out',
          ),
        ]
      : []),
    ...(models === 0 && (from !== undefined || training !== undefined)
      ? [
          wrong(
            ['gold', 'models'],
            'there is to be no gold model, and gold says how it is made; leave one out',
          ),
        ]
      : []),
  ]
}

/** Reports a number of gold models beside the places of the gold models themselves. */
function checkGoldModels(gold: unknown): readonly Finding[] {
  const { models, from, training } = (gold ?? {}) as Readonly<Record<string, unknown>>
  const places: readonly unknown[] = Array.isArray(from) ? from : from === undefined ? [] : [from]
  if (places.length === 0 || training !== undefined || models === undefined || models === 0) return []
  if (models === places.length) return []
  return [
    wrong(
      ['gold', 'models'],
      `gold.from names ${places.length} of the gold models, and gold.models is ${JSON.stringify(models)}; leave models out`,
    ),
  ]
}

/** Reports a config without the section `training` if a built-in model needs it. */
function checkTrainingGiven(config: unknown): readonly Finding[] {
  if (typeof config !== 'object' || config === null) return []
  const { training, model } = config as { readonly training?: unknown; readonly model?: { name?: unknown } }
  if (training !== undefined || model?.name === 'external') return []
  return [wrong(['training'], 'training is missing: expected a mapping (key: value)')]
}

function checkMethods(methods: Spec['methods']): readonly Finding[] {
  const names = methods.map(({ label, method }) => label ?? method)
  return methods.flatMap((method, i) => {
    const findings: Finding[] = []
    const earlier = names.indexOf(names[i] ?? '')
    if (earlier < i)
      findings.push(
        wrong(
          ['methods', i, method.label === undefined ? 'method' : 'label'],
          `methods[${earlier}] and methods[${i}] are both called "${names[i] ?? ''}" in tables; give ${method.label === undefined ? 'one a label' : 'them different labels'}`,
        ),
      )
    if (method.method === 'weights' && method.from === undefined && !method.given)
      findings.push(
        wrong(
          ['methods', i],
          `methods[${i}].from is missing; expected the place of weights, an adapter or logits: a directory, a file, s3://… or hf://owner/name@revision`,
        ),
      )
    if (method.method === 'rfa' && method.retainedBatch > method.retainedSamples)
      findings.push(
        wrong(
          ['methods', i, 'retainedSamples'],
          `retainedSamples (${method.retainedSamples}) is below retainedBatch (${method.retainedBatch}): a batch is drawn from them; raise the one or lower the other`,
        ),
      )
    return findings
  })
}

/** Reports scores with the same name: their columns and figures could not be told apart. */
function checkScores({ scores = [] }: Spec['attack']): readonly Finding[] {
  const names = [...scoreNames, ...scores.map(({ label }) => label)]
  return scores.flatMap(({ label }, i) =>
    names.indexOf(label) < scoreNames.length + i
      ? [
          wrong(
            ['attack', 'scores', i, 'score'],
            `two scores are called "${label}" in tables; give this one a label of its own`,
          ),
        ]
      : [],
  )
}

function wrong(path: Path, message: string): Finding {
  return { path, message, at: 'value' }
}
