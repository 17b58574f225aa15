import { withPublishedHeads } from '../../pretrained/heads.ts'
import { publishedNames, type PeftFiles } from '../../pretrained/read-peft.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { adapterFor, readAdapter, readBase } from '../adapters/adapter-base.ts'
import { counted } from '../output/format.ts'
import { coloursOf, columns, print, printJson } from '../output/print.ts'

interface AdapterInspectOptions {
  readonly base?: string
  readonly json?: true
}

interface Inspected {
  readonly layers: readonly {
    /** The name that the adapter's files give to the layer. */
    readonly name: string
    readonly rank: number
    readonly alpha: number
    readonly scale: number
    readonly parameters: number
    /** ‖ΔW‖ / ‖W‖ in Frobenius norms. Absent without a base model. */
    readonly relativeSize?: Measured
  }[]
  /** The tensors that replace tensors of the model. */
  readonly replaced: readonly { readonly name: string; readonly parameters: number }[]
  readonly parameters: number
  /** The same ratio over all updated layers together. */
  readonly relativeSize?: Measured
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * `zeroshift adapter inspect`: describes an adapter. With a base model it also shows how large the
 * updates are relative to the weights.
 */
export async function inspectAdapter(
  directory: string,
  { base, json }: AdapterInspectOptions,
): Promise<number> {
  const files = await readAdapter(directory)
  const inspected = inspect(files, base === undefined ? undefined : await sizes(files, base))
  if (json) printJson({ adapter: directory, ...inspected })
  else printAdapter(directory, inspected)
  return 0
}

/** The squared norms of an update and of the weights that it is added to. */
interface Size {
  readonly update: number
  readonly weights: number
}

async function sizes(files: PeftFiles, source: string): Promise<(module: string) => Size> {
  const base = await readBase(source)
  const { updates } = adapterFor(base, files)
  const weights = withPublishedHeads(base.parameters, base.architecture)
  const published = publishedNames(base.architecture)
  return (module) => {
    const name = `${published(module)}.weight`
    return { update: squared(updates[name]?.values), weights: squared(weights[name]?.values) }
  }
}

const squared = (values: Float32Array = new Float32Array()) =>
  values.reduce((sum, value) => sum + value * value, 0)

function inspect(
  { updates, saved, metadata }: PeftFiles,
  sizeOf: ((module: string) => Size) | undefined,
): Inspected {
  const each = updates.map(({ module, rank, alpha, scale, a, b }) => ({
    layer: { name: module, rank, alpha, scale, parameters: a.values.length + b.values.length },
    size: sizeOf?.(module),
  }))
  const replaced = Object.entries(saved).map(([name, { values }]) => ({ name, parameters: values.length }))
  const known = each.flatMap(({ size }) => (size ? [size] : []))
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
  return {
    layers: each.map(({ layer, size }) => ({ ...layer, ...(size && { relativeSize: relative(size) }) })),
    replaced,
    parameters: total([...each.map(({ layer }) => layer), ...replaced].map((one) => one.parameters)),
    ...(sizeOf && {
      relativeSize: relative({
        update: total(known.map(({ update }) => update)),
        weights: total(known.map(({ weights }) => weights)),
      }),
    }),
    metadata,
  }
}

function relative({ update, weights }: Size): Measured {
  return weights > 0 ? { value: Math.sqrt(update / weights) } : { missing: 'the weights are all zero' }
}

function printAdapter(
  directory: string,
  { layers, replaced, parameters, relativeSize, metadata }: Inspected,
): void {
  const { bold } = coloursOf(process.stdout)
  const size = (measured: Measured | undefined) =>
    measured === undefined
      ? []
      : ['value' in measured ? measured.value.toPrecision(3) : `missing: ${measured.missing}`]
  const head = ['layer', 'rank', 'alpha', 'scale', 'parameters', ...(relativeSize ? ['‖ΔW‖/‖W‖'] : [])]
  const rows = layers.map((layer) => [
    layer.name,
    String(layer.rank),
    String(layer.alpha),
    String(Number(layer.scale.toPrecision(6))),
    String(layer.parameters),
    ...size(layer.relativeSize),
  ])
  print(bold(`${directory}: LoRA, ${counted(layers.length, 'layer')}, ${counted(parameters, 'parameter')}`))
  if (rows.length > 0) print(columns([head, ...rows]))
  if (relativeSize) print(`All layers: ‖ΔW‖/‖W‖ = ${size(relativeSize).join('')}`)
  for (const { name, parameters: count } of replaced)
    print(oneLine(`Replaces ${name} (${counted(count, 'parameter')})`))
  for (const [key, value] of Object.entries(metadata)) print(oneLine(`${key}: ${value}`))
}
