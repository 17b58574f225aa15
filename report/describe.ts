import { changedCodeOf } from '../experiment/stages/code.ts'
import type { Preparation } from '../experiment/models/pretrained.ts'
import type { GivenModel } from '../experiment/spec/given.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { Hardness, SplitSpec } from '../experiment/spec/split.ts'
import type { AnyModelSpec, ModelSpec } from '../experiment/spec/model.ts'
import type { PluginRef } from '../experiment/spec/plugin.ts'
import type { ProgramSpec } from '../experiment/spec/program.ts'
import type { Spec } from '../experiment/spec/spec.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { counted } from '../common/counted.ts'
import { percent, short } from './format.ts'

/** Settings in words, for people. */

/** `the class "cat"`, `10% of the training samples, drawn at random`. */
export function describeSplit(split: SplitSpec, facts: DatasetFacts): string {
  switch (split.kind) {
    case 'class':
      return classesOf(split.classes, facts)
    case 'random':
      return `${amountOf(split)}, drawn at random`
    case 'class-fraction':
      return `${amountOf(split)} of ${classesOf(split.classes, facts)}, drawn at random`
    case 'indices': {
      const samples = counted(split.indices?.length ?? 0, 'training sample')
      return split.file === undefined
        ? `${samples}, given by index`
        : `the ${samples} listed in ${split.file}`
    }
    case 'names':
      return `the ${counted(split.indices?.length ?? 0, 'training sample')} named in ${split.file}`
    case 'hard':
      return `${amountOf(split)}, ${hardness[split.by]}`
  }
}

/** `the class “cat”`, `the classes “cat”, “dog”`. */
function classesOf(classes: readonly (string | number)[], facts: DatasetFacts): string {
  const names = classes.map((wanted) => {
    const name = typeof wanted === 'number' ? facts.classes[wanted] : wanted
    return `“${name ?? wanted}”`
  })
  return `the ${names.length === 1 ? 'class' : 'classes'} ${names.join(', ')}`
}

const hardness: Readonly<Record<Hardness, string>> = {
  'highest-loss': 'those of the highest loss under the original model',
  'lowest-loss': 'those of the lowest loss under the original model',
  'most-memorised': 'those on which the original model is right by the smallest margin',
}

function amountOf({ count, fraction = 0 }: { count?: number | undefined; fraction?: number | undefined }) {
  return count === undefined
    ? `${percent(100 * fraction)}% of the training samples`
    : counted(count, 'training sample')
}

/** `Computed by changed code: unlearn rfa, 3f2a0b1c9d2e`; undefined if no code was changed. */
export function describeChangedCode(stages: readonly Stage[]): string | undefined {
  const changed = changedCodeOf(stages).map(
    ({ name, digest }) => `${name.replace(':', ' ')}, ${short(digest)}`,
  )
  return changed.length === 0 ? undefined : `Computed by changed code: ${changed.join('; ')}`
}

/** `n = 5 seeds, 95% intervals (Student's t)`; undefined for a single seed. */
export function describeSeeds({ seeds }: Pick<Spec, 'seeds'>): string | undefined {
  return seeds === undefined ? undefined : `n = ${seeds} seeds, 95% intervals (Student's t)`
}

/** `cnn: channels 16, 32; hidden 64`. A checkpoint is described by its architecture. */
export function describeModel(model: AnyModelSpec): string {
  const { name, ...options } = model
  if (model.name === 'external') return `${name}: ${describeProgram(model)}`
  if (model.name === 'plugin') return model.plugin ? describePlugin({ ...model, plugin: model.plugin }) : name
  if (!('checkpoint' in options)) return `${name}: ${describeOptions(options)}`
  const { checkpoint, from, head } = options as Extract<ModelSpec, { name: 'pretrained' }>
  const parts = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(checkpoint
      ? [describeOptions(checkpoint.architecture), describePreparation(checkpoint.preparation)]
      : []),
    ...(head === 'new' ? ['with a new head'] : []),
  ]
  return `${name}: ${parts.join('; ')}`
}

/** `weights from hf://me/mine@abc`, `logits of every sample`. A local place is not named. */
export function describeGiven({
  from,
  given,
}: {
  readonly from?: string | undefined
  readonly given?: GivenModel | undefined
}): string {
  const kinds = {
    checkpoint: 'a checkpoint',
    weights: 'weights',
    adapter: 'an adapter of the original',
    logits: 'logits of every sample',
  }
  return `${given ? kinds[given.kind] : 'a model'}${from === undefined ? '' : ` from ${from}`}`
}

/** The options of an external program, without the digests of its files. */
export function describeProgram(program: ProgramSpec & { readonly result?: string | undefined }): string {
  const { command, predict, environment, image, result, options } = program
  const own = Object.keys(options).length > 0 && { options }
  return describeOptions({ command, predict, environment, image, result, ...own })
}

function describePreparation({ resize, crop, filter, normalise }: Preparation): string {
  const parts = [
    ...(resize
      ? [
          `resized ${'to' in resize ? `to ${resize.to.join('×')}` : `to a shorter edge of ${resize.shortestEdge}`}, ${filter}`,
        ]
      : []),
    ...(crop ? [`cropped to ${crop.join('×')}`] : []),
    normalise
      ? `normalised by mean ${normalise.mean.join(', ')} and deviation ${normalise.deviation.join(', ')}`
      : "normalised by the data's own mean and deviation",
  ]
  return `images ${parts.join(', ')}`
}

/**
 * Options as one line, sorted by name: `batchSize 64; optimizer adam (beta1 0.9)`. Objects with a
 * `name` are called by it.
 */
export function describeOptions(options: object): string {
  return entries(options)
    .map(([key, value]) => `${key} ${describe(value)}`)
    .join('; ')
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  if (isOfPlugin(value)) return `(${describePlugin(value)})`
  const { name, ...options } = value as Readonly<Record<string, unknown>>
  const rest = entries(options)
    .map(([key, option]) => `${key} ${describe(option)}`)
    .join(', ')
  if (typeof name !== 'string') return `(${rest})`
  return rest ? `${name} (${rest})` : name
}

/** A part of a spec that a plug-in defines. */
interface OfPlugin {
  readonly plugin: PluginRef
  readonly options?: object | undefined
  readonly label?: string | undefined
}

function isOfPlugin(value: object): value is OfPlugin {
  return 'plugin' in value && 'options' in value
}

/** `plug-in my-target, SHA-256 3f…, strength 1`. */
export function describePlugin({ plugin, options = {}, label }: OfPlugin): string {
  return [
    `plug-in ${plugin.name}`,
    `SHA-256 ${plugin.sha256}`,
    ...(label === undefined || label === plugin.name ? [] : [`called ${label}`]),
    ...entries(options).map(([key, option]) => `${key} ${describe(option)}`),
  ].join(', ')
}

function entries(options: object): readonly (readonly [string, unknown])[] {
  return (Object.entries(options) as [string, unknown][])
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
