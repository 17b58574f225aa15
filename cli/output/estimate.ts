import type { Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { digestOf } from '../../common/canonical.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import type { Stage, StageKind, StageRef } from '../../experiment/stages/stage.ts'
import { duration } from './format.ts'

/**
 * An estimate of how long stages take, from the durations of similar stages: those on the same data
 * set with the same model, or of the same kind if the kind has neither.
 */
export interface Estimate {
  /** The sum of the estimated wall times in seconds, without the stages of unknown kinds. */
  readonly seconds: number
  /** The number of manifests that the estimate is based on. */
  readonly from: number
  /** The kinds of stage that the store has no similar one of. Their time is not included. */
  readonly unknown: readonly StageKind[]
  /** The wall time in seconds of each stage that is not of an unknown kind, by its key. */
  readonly byKey: ReadonlyMap<string, number>
}

/** The largest number of manifests that are read, the newest first. */
const MOST = 2000

/** Estimates the time of stages from the manifests of earlier ones. Pure. */
export function estimateOf(stages: readonly Stage[], past: readonly Manifest[]): Estimate {
  const seconds = new Map<string, number[]>()
  for (const manifest of past)
    for (const name of likenesses(manifest)) {
      const known = seconds.get(name)
      if (known) known.push(manifest.clock.seconds)
      else seconds.set(name, [manifest.clock.seconds])
    }
  const closest = stages.map((stage) => {
    const name = likenesses(stage).find((one) => seconds.has(one))
    return { stage, name, seconds: name === undefined ? undefined : mean(seconds.get(name) ?? []) }
  })
  const used = new Set(closest.map(({ name }) => name))
  const byKey = closest.flatMap(({ stage, seconds: of }) =>
    of === undefined ? [] : [[stage.key, of] as const],
  )
  return {
    seconds: byKey.reduce((sum, [, of]) => sum + of, 0),
    from: past.filter((manifest) => likenesses(manifest).some((name) => used.has(name))).length,
    unknown: [...new Set(closest.flatMap(({ stage, name }) => (name === undefined ? [stage.kind] : [])))],
    byKey: new Map(byKey),
  }
}

/**
 * Returns digests of what similar stages share, the closest similarity first: all parameters but
 * the seeds, then the data set, the model and the method, then the data set and the model. A kind
 * that has neither a data set nor a model is similar to all stages of the kind: its work is small.
 */
function likenesses({ kind, params, inputs }: Pick<Stage, 'kind' | 'params' | 'inputs'>): readonly string[] {
  const { seed: _, index: __, ...rest } = params as Readonly<Record<string, unknown>>
  const { dataset = null } = inputs as { readonly dataset?: StageRef }
  const method = (rest.method as { readonly method?: string } | undefined)?.method ?? null
  const model = rest.model ?? null
  return [
    digestOf([kind, rest, dataset]),
    digestOf([kind, dataset, model, method]),
    ...(dataset === null && model === null ? [kind] : [digestOf([kind, dataset, model])]),
  ]
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Estimates the time of stages from the manifests in a store. */
export async function estimateFrom(artifacts: Artifacts, stages: readonly Stage[]): Promise<Estimate> {
  const kinds = new Set<string>(stages.map(({ kind }) => kind))
  const found = (await artifacts.store.list('stages/'))
    .flatMap(({ path, modified }) => {
      const [, kind = '', key = ''] = /^stages\/([a-z]+)\/([0-9a-f]{64})\/manifest\.json$/.exec(path) ?? []
      return kinds.has(kind) ? [{ kind: kind as StageKind, key, modified }] : []
    })
    .sort((a, b) => b.modified - a.modified)
    .slice(0, MOST)
  const past = await mapConcurrently(found, (stage) => artifacts.manifest(stage))
  return estimateOf(
    stages,
    past.flatMap((manifest) => manifest ?? []),
  )
}

/** Returns the estimate as a sentence. */
export function estimateLine({ seconds, from, unknown }: Estimate): string {
  if (from === 0)
    return 'How long that takes is not known: the store has no stages on this data set with this model yet.'
  const left = unknown.length > 0 ? `, without ${unknown.join(', ')}, of which there are none like these` : ''
  return `About ${duration(seconds)} of work for one worker, by ${from} stages of earlier runs${left}.`
}

/** Returns the estimate as `--json` prints it. */
export function jsonEstimate({ seconds, from, unknown }: Estimate): Omit<Estimate, 'byKey'> {
  return { seconds, from, unknown }
}
