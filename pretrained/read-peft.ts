import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { decodeTensors } from '../artifacts/format/safetensors.ts'
import type { Architecture } from '../experiment/models/pretrained.ts'
import { errorMessage, UserError } from '../common/errors.ts'
import { adaptableLayers, type AdaptableLayer } from '../experiment/models/layers.ts'
import { readRegularFile, unreadable } from '../common/regular-file.ts'
import type { Tensors } from '../learning/model/parameters.ts'
import { alphaOf, rankOf, readAdapterConfig, type AdapterConfig } from './adapter-config.ts'
import { headsOf, withOneHead, withPublishedHeads } from './heads.ts'
import { permuted } from './permute.ts'
import { pickleAdvice } from './pickle.ts'
import { publishedLayers, publishedTensors, tensorShape } from './published.ts'
import { currentSpelling, publishedSpelling } from './spelling.ts'

type Tensor = Tensors[string]

/** An adapter as read from its files. Layers have the names in these files. */
export interface PeftFiles {
  readonly directory: string
  readonly config: AdapterConfig
  readonly updates: readonly LowRankUpdate[]
  /** Parameters that replace the model's, by the name of their tensor. */
  readonly saved: Tensors
  readonly metadata: Readonly<Record<string, string>>
}

/** ΔW = s·B·A of one layer. */
export interface LowRankUpdate {
  readonly module: string
  readonly rank: number
  readonly alpha: number
  readonly scale: number
  /** [r, in] or [r, in, k, k]. */
  readonly a: Tensor
  /** [out, r] or [out, r, 1, 1]. */
  readonly b: Tensor
}

/** The changes of an adapter to a model, under published names and in our order of axes. */
export interface Adapter {
  /** The number of classes of the model with the adapter, which may replace the head. */
  readonly classes: number
  /** ΔW by the name of the parameter. */
  readonly updates: Tensors
  readonly replaced: Tensors
}

/**
 * Reads and checks an adapter's files without the model. Throws a UserError that lists all
 * problems.
 */
export async function readPeft(directory: string): Promise<PeftFiles> {
  const config = await readAdapterConfig(directory)
  const { tensors, metadata } = await readTensors(directory)
  const problems: string[] = []
  const pairs = new Map<string, { A?: Tensor; B?: Tensor }>()
  const saved: Record<string, Tensor> = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    const [, inside] = /^base_model\.model\.(.+)$/.exec(name) ?? []
    const [, module, factor] = /^(.+)\.lora_([AB])\.weight$/.exec(inside ?? '') ?? []
    const own = inside?.replace(/\.modules_to_save(\.default)?(?=\.)/, '') ?? ''
    if (tensor.dtype !== 'F32' && tensor.dtype !== 'F16' && tensor.dtype !== 'BF16')
      problems.push(`"${name}" has the type ${tensor.dtype}, expected F32, F16 or BF16`)
    else if (module !== undefined && (factor === 'A' || factor === 'B'))
      pairs.set(module, { ...pairs.get(module), [factor]: tensor })
    else if (config.isSaved(ownerOf(own))) saved[own] = tensor
    else if (!isCounter(own)) problems.push(`"${name}" is no part of an adapter that is known here`)
  }
  const updates = [...pairs].flatMap(([module, { A: a, B: b }]): LowRankUpdate[] => {
    const name = `base_model.model.${module}.lora_`
    if (!a || !b) {
      problems.push(`"${name}${a ? 'B' : 'A'}.weight" is missing`)
      return []
    }
    const rank = rankOf(config, module)
    if (a.shape[0] !== rank || b.shape[1] !== rank) {
      problems.push(
        `"${name}A.weight" [${a.shape.join(', ')}] and "${name}B.weight" [${b.shape.join(', ')}] are not of the rank ${rank} ` +
          'that adapter_config.json says',
      )
      return []
    }
    const alpha = alphaOf(config, module)
    return [{ module, rank, alpha, scale: config.rslora ? alpha / Math.sqrt(rank) : alpha / rank, a, b }]
  })
  if (problems.length === 0 && updates.length === 0 && Object.keys(saved).length === 0)
    problems.push('there are none')
  refuse(directory, problems)
  return { directory, config, updates, saved, metadata }
}

/** The name of the layer that a tensor belongs to. */
const ownerOf = (tensor: string) => tensor.replace(/\.[^.]+$/, '')
const isCounter = (name: string) => name.endsWith('.num_batches_tracked')

async function readTensors(directory: string) {
  const file = join(directory, 'adapter_model.safetensors')
  const bytes = await readRegularFile(file).catch((error: unknown) => {
    const reason = unreadable(error)
    if (reason === undefined) throw error
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new UserError(`${file} ${reason}`)
    throw new UserError(
      existsSync(join(directory, 'adapter_model.bin'))
        ? `${file} is missing; ${pickleAdvice('adapter_model.bin')}`
        : `${file} is missing; expected an adapter in PEFT's layout`,
    )
  })
  try {
    return decodeTensors(bytes)
  } catch (error) {
    throw new UserError(`${file}: ${errorMessage(error)}`)
  }
}

/** Returns a function that gives the published name of a layer or tensor in either spelling. */
export function publishedNames(architecture: Architecture): (name: string) => string {
  return (name) => (architecture.kind === 'vit' ? publishedSpelling(name, architecture.family) : name)
}

/**
 * Matches an adapter with a model. `ownClasses` is the number of classes of the model's own head, 0
 * without one. Throws a UserError that lists layers that the model lacks, and updates that are
 * missing or have a wrong shape.
 */
export function adapterOf(
  { directory, config, updates, saved }: PeftFiles,
  architecture: Architecture,
  ownClasses: number,
): Adapter {
  const published = publishedNames(architecture)
  const given = new Map(Object.entries(saved).map(([name, tensor]) => [published(name), tensor]))
  const heads = headsOf(architecture)
  const classes = given.get(`${heads[0] ?? ''}.weight`)?.shape[0] ?? ownClasses
  const layers = publishedLayers(architecture, classes)
  const modules = new Map(adaptableLayers(layers).map((layer) => [layer.name, layer]))
  const parameters = new Map(publishedTensors(layers).map((one) => [one.tensor, one]))
  const problems: string[] = []

  const deltas: Record<string, Tensor> = {}
  for (const update of updates) {
    const { module, a, b } = update
    const layer = modules.get(published(module))
    const parameter = parameters.get(`${published(module)}.weight`)
    if (!layer || !parameter) {
      problems.push(`the model has no layer "${module}" to adapt`)
      continue
    }
    const [wantedA, wantedB] = factorShapes(layer, update.rank)
    const shapes: [string, Tensor, readonly number[]][] = [
      ['A', a, wantedA],
      ['B', b, wantedB],
    ]
    const wrong = shapes.filter(([, { shape }, wanted]) => shape.join() !== wanted.join())
    for (const [factor, { shape }, wanted] of wrong)
      problems.push(
        `lora_${factor} of "${module}" has the shape [${shape.join(', ')}], expected [${wanted.join(', ')}]`,
      )
    if (config.targets && !config.targets(module))
      problems.push(`"${module}" is not among the target_modules of adapter_config.json`)
    if (wrong.length === 0)
      deltas[parameter.name] = {
        shape: parameter.shape,
        values: permuted(product(update), tensorShape(parameter), parameter.axes),
      }
  }

  const replaced: Record<string, Tensor> = {}
  for (const [name, { shape, values }] of given) {
    const parameter = parameters.get(name)
    const wanted = parameter && tensorShape(parameter)
    if (!wanted) problems.push(`the model has no parameter "${name}" to replace`)
    else if (shape.join() !== wanted.join())
      problems.push(`"${name}" has the shape [${shape.join(', ')}], expected [${wanted.join(', ')}]`)
    else
      replaced[parameter.name] = {
        shape: parameter.shape,
        values: permuted(values, wanted, parameter.axes),
      }
  }

  const updated = new Set(updates.map(({ module }) => published(module)))
  const isPublished = [...updates.map(({ module }) => module), ...Object.keys(saved)].some((name) =>
    /(^|\.)encoder\.layer\.\d/.test(name),
  )
  const spelt = (name: string) =>
    architecture.kind === 'resnet' || isPublished ? name : currentSpelling(name, architecture.family)
  for (const tensor of parameters.keys()) {
    const layer = ownerOf(tensor)
    const name = spelt(layer)
    if (config.isSaved(name)) {
      if (!given.has(tensor)) problems.push(`"${tensor}", which modules_to_save names, is missing`)
    } else if (
      tensor === `${layer}.weight` &&
      modules.has(layer) &&
      config.targets?.(name) &&
      !updated.has(layer)
    )
      problems.push(`the update of "${name}", which target_modules names, is missing`)
  }
  const own = heads.filter((head) => given.has(`${head}.weight`)).length
  if (own > 0 && own < heads.length)
    problems.push(`one of the heads ${heads.join(' and ')} is replaced; expected both or none`)
  refuse(directory, problems)
  return { classes, updates: deltas, replaced }
}

function factorShapes(
  layer: AdaptableLayer,
  rank: number,
): readonly [a: readonly number[], b: readonly number[]] {
  if (layer.kind === 'linear')
    return [
      [rank, layer.in],
      [layer.out, rank],
    ]
  return [
    [rank, layer.in, layer.kernel, layer.kernel],
    [layer.out, rank, 1, 1],
  ]
}

/** ΔW in PyTorch's order of axes, summed in float64. */
function product({ a, b, rank, scale }: LowRankUpdate): Float32Array {
  const columns = a.values.length / rank
  const rows = b.values.length / rank
  const result = new Float32Array(rows * columns)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    row.fill(0)
    for (let k = 0; k < rank; k++) {
      const factor = scale * (b.values[i * rank + k] ?? NaN)
      for (let j = 0; j < columns; j++) row[j] = (row[j] ?? NaN) + factor * (a.values[k * columns + j] ?? NaN)
    }
    result.set(row, i * columns)
  }
  return result
}

/** The model's parameters with the adapter merged. */
export function withAdapter(
  parameters: Tensors,
  { updates, replaced }: Adapter,
  architecture: Architecture,
): Tensors {
  const base = { ...withPublishedHeads(parameters, architecture), ...replaced }
  const updated = Object.entries(updates).map(([name, { shape, values: delta }]) => {
    const values = base[name]?.values
    if (!values) throw new Error(`the parameters lack "${name}"`)
    return [name, { shape, values: values.map((value, i) => value + (delta[i] ?? NaN)) }] as const
  })
  return withOneHead({ ...base, ...Object.fromEntries(updated) }, architecture)
}

const LISTED = 8

function refuse(directory: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : ''
  throw new UserError(
    `${directory}: the adapter's tensors are not as expected: ${problems.slice(0, LISTED).join('; ')}${more}`,
  )
}
