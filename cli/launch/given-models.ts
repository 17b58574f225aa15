import { UserError } from '../../common/errors.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import { layersOf } from '../../experiment/models/model.ts'
import type { RunSettings } from '../../experiment/records/run.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { filesDigest, filesOf, type GivenModel } from '../../experiment/spec/given.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import { sum } from '../../experiment/spec/sets.ts'
import { formatSource, parseSource } from '../../sources/source.ts'
import { absoluteFromConfig, absolutePath } from '../workspace/workspace.ts'
import type { Inspection } from './inspection.ts'
import type { ConfigSource } from './read-config.ts'

/** The models of a config that were made elsewhere. */

type Source = Pick<ConfigSource, 'config' | 'overrides'>

/**
 * A place that a config names. A directory is relative to the config, or to the working directory
 * if the command line names it. `path` is the key in the config.
 */
export function placeOf(from: string, path: string, { config, overrides }: Source): string {
  const onCommandLine = overrides.some((text) => {
    const key = text.slice(0, Math.max(0, text.indexOf('=')))
    return key !== '' && (path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`))
  })
  return onCommandLine ? from : absoluteFromConfig(config, from)
}

/** A spec whose models from elsewhere have facts, and the places of these models. */
export interface CompletedModels {
  readonly spec: Spec
  readonly places: NonNullable<RunSettings['places']>
}

/**
 * Reads what the files of all models from elsewhere contain. Checks the names and shapes of their
 * tensors against the experiment's model, whose checkpoint has been read already. Throws a
 * UserError.
 */
export async function completeGiven(
  spec: Spec,
  facts: DatasetFacts,
  source: Source,
  inspect: Pick<Inspection, 'model'>,
): Promise<CompletedModels> {
  const places: Record<string, string> = {}
  const isPretrained = spec.model.name === 'pretrained'
  // The check of programs refuses models from elsewhere beside an external one.
  if (spec.model.name === 'external') return { spec, places }
  const layers = layersOf(spec.model, facts.shape, facts.classes.length)
  const read = async (from: string, path: string, isRow = false) => {
    const place = placeOf(from, path, source)
    const { given, tensors, revision } = await inspect.model(place, { path, isPretrained, isRow })
    await checkTensors(given, tensors, { layers, facts, place, path })
    const pinned = pinnedTo(from, revision)
    places[filesDigest(filesOf(given))] = isElsewhere(place) ? pinned : absolutePath(place)
    return { from: pinned, given }
  }
  const { original, gold } = spec
  const completed: Spec = {
    ...spec,
    ...(original?.from !== undefined && { original: await read(original.from, 'original.from') }),
    gold: gold.from === undefined ? gold : { ...gold, ...(await readAll(gold.from, read)) },
    methods: await inOrder(spec.methods, async (row, i) =>
      row.method === 'weights' && row.from !== undefined
        ? { ...row, ...(await read(row.from, `methods[${i}].from`, true)) }
        : row,
    ),
  }
  return { spec: completed, places }
}

async function readAll(
  from: readonly string[],
  read: (from: string, path: string) => Promise<{ from: string; given: GivenModel }>,
): Promise<{ readonly from: string[]; readonly given: GivenModel[] }> {
  const all = await inOrder(from, (one, i) => read(one, from.length === 1 ? 'gold.from' : `gold.from[${i}]`))
  return { from: all.map((one) => one.from), given: all.map(({ given }) => given) }
}

/** Downloads and reports come one after the other. */
async function inOrder<T, R>(items: readonly T[], work: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const [i, item] of items.entries()) results.push(await work(item, i))
  return results
}

/** The place with the commit instead of a branch of a hub's repository. */
function pinnedTo(from: string, revision: string | undefined): string {
  const source = parseSource(from)
  return source.kind === 'hf' && revision !== undefined ? formatSource({ ...source, revision }) : from
}

async function checkTensors(
  { kind }: GivenModel,
  tensors: Awaited<ReturnType<Inspection['model']>>['tensors'],
  {
    layers,
    facts,
    place,
    path,
  }: {
    readonly layers: readonly Layer[]
    readonly facts: DatasetFacts
    readonly place: string
    readonly path: string
  },
): Promise<void> {
  if (kind === 'weights') {
    const { refuseOtherTensors } = await import('../../activities/inputs/given-weights.ts')
    refuseOtherTensors(layers, tensors, place, path)
  }
  if (kind !== 'logits') return
  const shape = [sum(facts.train) + sum(facts.test), facts.classes.length]
  const found = tensors.logits?.shape
  if (found?.join() === shape.join()) return
  const what = found ? `the logits have the shape [${found.join(', ')}]` : 'there is no tensor "logits"'
  throw new UserError([
    {
      path,
      message: `${place}: ${what}, expected [${shape.join(', ')}]: a row for every sample, training files first, and a column for every class`,
    },
  ])
}
