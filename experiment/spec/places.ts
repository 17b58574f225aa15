import type { DataSpec } from './data.ts'
import type { AnyModelSpec } from './model.ts'
import type { Spec } from './spec.ts'

/**
 * Whether a place is a URL. A URL names the same place on every machine, and a directory does not.
 */
export const isElsewhere = (place: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

/** A spec without local directories, as it is recorded. */
export function withoutPlaces(spec: Spec): Spec {
  return { ...spec, data: withoutDirectory(spec.data), model: withoutDirectory(spec.model) }
}

function withoutDirectory<T extends DataSpec | AnyModelSpec>(of: T): T {
  if (!('from' in of) || of.from === undefined || isElsewhere(of.from)) return of
  const { from: _, ...rest } = of
  return rest as T
}
