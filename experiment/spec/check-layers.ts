import {
  adaptableLayers,
  flattenLayers,
  layerNames,
  matchesAny,
  maxRank,
  type Layer,
} from '../models/layers.ts'
import type { MethodSpec } from './methods.ts'
import type { Report } from './problems.ts'

type Adapting = Pick<Extract<MethodSpec, { rank: number }>, 'rank' | 'layers'> & {
  readonly align?: string[] | undefined
}

/** Checks the options of an adapter that name layers. */
export function checkLayers(method: Adapting, layers: readonly Layer[], report: Report): void {
  const { align } = method
  const all = flattenLayers(layers)
  const adaptable = adaptableLayers(layers)

  method.layers.forEach((pattern, i) => {
    if (adaptable.some(matchesAny([pattern]))) return
    const other = all.find(matchesAny([pattern]))
    report(
      ['layers', i],
      other
        ? `"${pattern}" matches no layer that LoRA adapts (${other.name} is ${other.kind}); it adapts ${layerNames(adaptable)}`
        : `"${pattern}" matches no layer; LoRA adapts ${layerNames(adaptable)}`,
    )
  })
  align?.forEach((pattern, i) => {
    if (!all.some(matchesAny([pattern])))
      report(['align', i], `"${pattern}" matches no layer; the layers are ${layerNames(all)}`)
  })

  const adapted = adaptable.filter(matchesAny(method.layers))
  const first = adapted[0]
  if (!first || !align) return
  const aligned = all.filter(matchesAny(align))
  const changes = aligned.some((layer) => all.indexOf(layer) >= all.indexOf(first))
  if (aligned.length > 0 && !changes)
    report(
      ['align'],
      `every aligned layer comes before ${first.name}, the first adapted one, so nothing that is learnt reaches it; align ${first.name} or a later layer`,
    )
}

/** Checks that every adapted layer can have an update of the adapter's rank. */
export function checkRank(method: Adapting, layers: readonly Layer[], report: Report): void {
  const adapted = adaptableLayers(layers).filter(matchesAny(method.layers))
  const small = adapted.filter((layer) => maxRank(layer) < method.rank)
  if (small.length > 0) {
    const listed = small.slice(0, 5).map((layer) => `${layer.name} (at most ${maxRank(layer)})`)
    const more = small.length > 5 ? ` and ${small.length - 5} more` : ''
    report(
      ['rank'],
      `rank ${method.rank} is above what these layers take: ${listed.join(', ')}${more}; ` +
        `lower the rank to ${Math.min(...small.map(maxRank))}, or name only wider layers in "layers"`,
    )
  }
}
