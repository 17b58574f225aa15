import type { Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { digestOf } from '../../common/canonical.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import type { Stage, StageKind, StageRef } from '../../experiment/stages/stage.ts'

/** An estimate of how long stages take, from the durations of similar stages. */
export interface Estimate {
  /** The sum of the estimated wall times in seconds, without the stages of unknown kinds. */
  readonly seconds: number
  /** The number of manifests that the estimate is based on. */
  readonly from: number
  /** The kinds of stage that the store has no manifest of. Their time is not included. */
  readonly unknown: readonly StageKind[]
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
  const unknown = new Set<StageKind>()
  const total = stages.reduce((sum, stage) => {
    const alike = likenesses(stage).flatMap((name) => seconds.get(name) ?? [])
    const closest = likenesses(stage)
      .map((name) => seconds.get(name))
      .find((found) => found !== undefined)
    if (!closest || alike.length === 0) unknown.add(stage.kind)
    return sum + (closest ? mean(closest) : 0)
  }, 0)
  const kinds = new Set(stages.map(({ kind }) => kind))
  return {
    seconds: total,
    from: past.filter(({ kind }) => kinds.has(kind)).length,
    unknown: [...unknown],
  }
}

/**
 * Returns digests of what similar stages share, the closest similarity first: all parameters but
 * the seeds, then the data set and the method, then the method, then the kind.
 */
function likenesses({ kind, params, inputs }: Pick<Stage, 'kind' | 'params' | 'inputs'>): readonly string[] {
  const { seed: _, index: __, ...rest } = params as Readonly<Record<string, unknown>>
  const { dataset = null } = inputs as { readonly dataset?: StageRef }
  const method = (rest.method as { readonly method?: string } | undefined)?.method ?? null
  return [digestOf([kind, rest, dataset]), digestOf([kind, method, dataset]), digestOf([kind, method]), kind]
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
